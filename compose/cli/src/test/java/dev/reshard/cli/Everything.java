package dev.reshard.cli;

import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;

/**
 * Whatever a command could have made or changed: the catalogs of every shard and the names of
 * topics. Two of them are equal if nothing was. Immutable.
 */
record Everything(List<List<String>> catalogs, List<String> topics) {
  private static final String CATALOGS =
      """
      SELECT c::text FROM (SELECT oid, relname, relkind, relfilenode, relreplident, relacl
        FROM pg_class WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)) c
      UNION ALL SELECT a::text FROM (SELECT attrelid, attname, atttypid, attnotnull
        FROM pg_attribute WHERE attrelid >= 16384) a
      UNION ALL SELECT p::text FROM (SELECT oid, proname FROM pg_proc WHERE oid >= 16384) p
      UNION ALL SELECT n::text FROM (SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp') n
      UNION ALL SELECT p::text FROM (SELECT pubname FROM pg_publication) p
      UNION ALL SELECT s::text FROM (SELECT slot_name FROM pg_replication_slots
        WHERE database = current_database()) s
      ORDER BY 1""";

  static Everything of(SandboxShards shards) throws Exception {
    List<List<String>> catalogs = new ArrayList<>();
    for (SandboxShard shard : shards.all()) {
      catalogs.add(shard.query(CATALOGS));
    }
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", SharedSandbox.kafka().bootstrapServers()))) {
      return new Everything(
          catalogs,
          admin.listTopics().names().get(10, TimeUnit.SECONDS).stream().sorted().toList());
    }
  }
}
