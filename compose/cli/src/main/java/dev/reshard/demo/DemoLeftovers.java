package dev.reshard.demo;

import dev.reshard.finish.ShardLeftovers;
import dev.reshard.guard.Outside;
import dev.reshard.sandbox.Sandbox;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.topics.TopicNames;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;

/**
 * What is left of a migration on shards and broker. Immutable.
 *
 * @param unwanted replication slots, publications, indexes and topics: there should be none; the
 *     keyspace's topic of routing is no migration's, and stays
 * @param guardsKept sealed guards, which stay on purpose
 */
record DemoLeftovers(List<String> unwanted, List<String> guardsKept) {

  static DemoLeftovers find(Sandbox sandbox) throws Exception {
    List<String> unwanted = new ArrayList<>();
    List<String> guards = new ArrayList<>();
    for (SandboxShard shard : sandbox.shards().all()) {
      try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
        ShardLeftovers.find(connection).forEach(what -> unwanted.add(shard.name() + ": " + what));
      }
      boolean guarded =
          !shard.query("SELECT to_regclass('reshard.guard_outside')::text").contains(null);
      if (guarded) {
        try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
          for (Outside.Remaining kept : Outside.remaining(connection)) {
            guards.add("%s: %d buckets".formatted(shard.name(), kept.buckets().size()));
          }
        }
      }
    }
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", sandbox.kafka().bootstrapServers()))) {
      admin.listTopics().names().get(10, TimeUnit.SECONDS).stream()
          .filter(topic -> topic.startsWith("reshard."))
          .filter(topic -> !topic.equals(TopicNames.routing("reshard", "shop")))
          .forEach(topic -> unwanted.add("topic " + topic));
    }
    return new DemoLeftovers(unwanted, guards);
  }

  String summary() {
    return (unwanted.isEmpty()
            ? "0 replication slots, 0 publications, 0 topics"
            : String.join(", ", unwanted))
        + "; fences kept on purpose: "
        + (guardsKept.isEmpty() ? "none" : String.join(", ", guardsKept));
  }
}
