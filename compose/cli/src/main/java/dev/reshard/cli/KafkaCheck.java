package dev.reshard.cli;

import dev.reshard.change.ChangeTopics;
import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.Check;
import dev.reshard.preflight.Finding;
import dev.reshard.shadow.ShadowTopics;
import dev.reshard.spec.Spec;
import dev.reshard.topics.TopicNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;

/** Whether Kafka answers, and would make our topics as we need them. Immutable. */
final class KafkaCheck implements Check {
  private static final int LIMIT_S = 10;

  /** Fewer copies than this lose acknowledged changes with one broker (HAZARDS F23). */
  private static final int SAFE_REPLICATION = 3;

  private final Spec spec;
  private final Collection<ShardId> shards;
  private final boolean begun;

  /**
   * @param shards whose changes will be captured
   * @param begun whether the topics may be there already
   */
  KafkaCheck(Spec spec, Collection<ShardId> shards, boolean begun) {
    this.spec = spec;
    this.shards = List.copyOf(shards);
    this.begun = begun;
  }

  @Override
  public String name() {
    return "Kafka";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    Map<String, Object> properties = new HashMap<>();
    spec.kafka().forEach((key, value) -> properties.put(key, value.value()));
    properties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, LIMIT_S * 1_000);
    properties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, LIMIT_S * 1_000);
    try (Admin admin = Admin.create(properties)) {
      Collection<Node> brokers = await(admin.describeCluster().nodes());
      List<Finding> findings = new ArrayList<>(replication(brokers.size()));
      findings.addAll(topics(admin));
      findings.addAll(settings(admin, brokers.iterator().next()));
      return findings;
    } catch (ExecutionException | TimeoutException | org.apache.kafka.common.KafkaException e) {
      return List.of(
          Finding.blocker(
                  "Kafka does not answer at %s: %s"
                      .formatted(spec.kafka().get("bootstrap.servers").value(), cause(e)))
              .todo("look at the kafka block of the file, at the network and the brokers"));
    }
  }

  private List<Finding> replication(int brokers) {
    int wanted = spec.topics().replication();
    if (brokers < wanted) {
      return List.of(
          Finding.blocker(
                  "Kafka has %d broker(s), but topics.replication is %d".formatted(brokers, wanted))
              .todo("lower it, or add brokers"));
    }
    return wanted >= SAFE_REPLICATION
        ? List.of()
        : List.of(
            Finding.note(
                    "topics.replication is %d, so that changes are acknowledged by one broker (min.insync.replicas = 1) and lost with it"
                        .formatted(wanted))
                .todo("set it to 3, save for rehearsals"));
  }

  /** Asks for every topic without making it. */
  private List<Finding> topics(Admin admin) throws InterruptedException, TimeoutException {
    TopicNames names = new TopicNames(spec.topics().prefix(), spec.migration());
    short replication = spec.topics().replication();
    List<NewTopic> wanted = new ArrayList<>();
    shards.forEach(shard -> wanted.add(ChangeTopics.wanted(names.changes(shard), replication)));
    List<String> others = new ArrayList<>(ShadowTopics.topics(names));
    others.add(names.events());
    String routing = TopicNames.routing(names.prefix(), spec.keyspace().name());
    others.add(routing);
    others.forEach(name -> wanted.add(new NewTopic(name, 1, replication)));
    List<Finding> findings = new ArrayList<>();
    for (Map.Entry<String, KafkaFuture<Void>> topic :
        admin
            .createTopics(wanted, new CreateTopicsOptions().validateOnly(true))
            .values()
            .entrySet()) {
      try {
        await(topic.getValue());
      } catch (ExecutionException e) {
        boolean mayBeThere = begun || topic.getKey().equals(routing);
        if (!mayBeThere || !(e.getCause() instanceof TopicExistsException)) {
          findings.add(refused(names, routing, e.getCause()).detail(topic.getKey()));
        }
      }
    }
    return findings;
  }

  private static Finding refused(TopicNames names, String routing, Throwable why) {
    if (why instanceof TopicExistsException) {
      return Finding.blocker("the topic is there already, perhaps of an earlier migration")
          .todo("delete it, or give this migration another name");
    }
    if (why instanceof AuthorizationException) {
      return Finding.blocker("we may not make the topic")
          .todo(
              "allow our user: Create, Describe, DescribeConfigs, Read, Write, Delete on topics with prefix %s, the same but Delete on topic %s; Read, Describe, Delete on groups with prefix %s; Describe, DescribeConfigs on the cluster"
                  .formatted(names.all(), routing, names.all()));
    }
    return Finding.blocker("Kafka would not make the topic: " + why.getMessage())
        .todo("lower topics.replication, or change the cluster's policy");
  }

  /**
   * What our topics do not set for themselves: record size and elections of theirs were asked for.
   */
  private static List<Finding> settings(Admin admin, Node broker)
      throws InterruptedException, TimeoutException {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.BROKER, broker.idString());
    Config config;
    try {
      config = await(admin.describeConfigs(List.of(resource)).all()).get(resource);
    } catch (ExecutionException e) {
      return List.of(
          Finding.note("the brokers' settings cannot be seen: " + cause(e))
              .todo(
                  "see that unclean.leader.election.enable is false and delete.topic.enable true"));
    }
    List<Finding> findings = new ArrayList<>();
    if ("true".equals(value(config, "unclean.leader.election.enable"))) {
      findings.add(
          Finding.note(
                  "unclean.leader.election.enable is true: our change topics switch it off for themselves, the topics of dual reads do not")
              .todo("switch it off"));
    }
    if ("false".equals(value(config, "delete.topic.enable"))) {
      findings.add(
          Finding.note("delete.topic.enable is false: our topics would stay")
              .todo("switch it on, or delete them yourself at the end"));
    }
    return findings;
  }

  private static String value(Config config, String name) {
    ConfigEntry entry = config.get(name);
    return entry == null || entry.value() == null ? "" : entry.value();
  }

  private static <T> T await(KafkaFuture<T> future)
      throws ExecutionException, InterruptedException, TimeoutException {
    return future.get(LIMIT_S, TimeUnit.SECONDS);
  }

  private static String cause(Exception e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
