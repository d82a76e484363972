package dev.reshard.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit;
import dev.reshard.control.WorkerLease;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.migration.Migration;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Secret;
import dev.reshard.spec.Spec;
import dev.reshard.spec.ThrottleSpec;
import dev.reshard.topics.TopicNames;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(90)
class TopicPublisherIT {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final HashBuckets BUCKETS = new HashBuckets(HashBuckets.Function.MODULO, 8);
  private static final Move MOVE = new Move(A, B, BucketSet.range(4, 8));
  private static final ShardMap BEFORE = ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 8)));
  private static final String NOWHERE = "127.0.0.1:1";

  private final String name = "pub-" + UUID.randomUUID().toString().substring(0, 8);
  private SandboxShards shards;
  private ShardSessions sessions;
  private ControlStore control;
  private WorkerLease lease;

  @BeforeEach
  void store() throws Exception {
    shards = SharedSandbox.shards(1);
    sessions =
        new ShardSessions(
            name,
            List.of(
                new ShardAddress(
                    A,
                    shards.get("a").url(),
                    SandboxRole.RESHARD.user(),
                    SandboxRole.RESHARD.password())));
    control = new ControlStore(sessions, A, name);
    control.install();
    control.create(name, new Moves(List.of(MOVE)), 8);
    lease = new WorkerLease(sessions, A, name);
    assertTrue(lease.acquire("test").isPresent());
    try (Connection connection = sessions.open(A, "test")) {
      ShardMapStore.adopt(connection, name, BUCKETS, BEFORE);
    }
  }

  @AfterEach
  void drop() throws Exception {
    lease.close();
    control.close();
    shards.close();
  }

  @Test
  void whatHappenedWhileKafkaWasAwayIsPublishedInOrderByTheNextWorker() throws Exception {
    move(MigrationState.PENDING, MigrationState.PREPARING);
    try (TopicPublisher blocked = TopicPublisher.events(migration(NOWHERE))) {
      long began = System.nanoTime();
      blocked.start();
      assertTrue(System.nanoTime() - began < Duration.ofSeconds(1).toNanos(), "it blocked");
      move(MigrationState.PREPARING, MigrationState.COPYING);
      await("it says so", () -> blocked.trouble().isPresent());
      assertTrue(blocked.trouble().get().contains(name + ".events"), blocked.trouble()::toString);
    }
    StageUnit unit = control.units().get(0);
    control.moveUnit(unit, unit.fenced(StageUnit.Direction.FORWARD, 2), lease.number());
    try (TopicPublisher publisher = TopicPublisher.events(migration(kafka()))) {
      publisher.start();
      await("all is published", () -> pending() == 0);
      assertTrue(publisher.trouble().isEmpty());
    }
    List<JsonNode> events = read(new TopicNames("reshard", name).events());
    assertEquals(
        List.of("PENDING>PREPARING", "PREPARING>COPYING", "AT_SOURCE>FENCED"),
        events.stream().map(e -> e.path("from").asText() + ">" + e.path("to").asText()).toList());
    assertEquals(1, events.get(0).path("version").asInt());
    assertEquals("a > b", events.get(2).path("unit").asText());
    assertEquals(2, events.get(2).path("epoch").asLong());
  }

  @Test
  void aWorkerThatDiedBeforeItNotedWhatItPublishedRepeatsItAndLeavesNothingOut() throws Exception {
    move(MigrationState.PENDING, MigrationState.PREPARING);
    publishAll();
    shards.get("a").executeAsSuperuser("DELETE FROM reshard.published");
    move(MigrationState.PREPARING, MigrationState.COPYING);
    publishAll();
    List<String> to =
        read(new TopicNames("reshard", name).events()).stream()
            .map(e -> e.path("to").asText())
            .toList();
    assertEquals(List.of("PREPARING", "PREPARING", "COPYING"), to);
  }

  @Test
  void theWholeMapIsPublishedAtEveryStartAndEveryEpochInACompactedTopic() throws Exception {
    String topic = TopicNames.routing("reshard", name);
    try (TopicPublisher publisher = TopicPublisher.routing(migration(kafka()))) {
      publisher.start();
      await("the first map", () -> epochs(topic).equals(List.of(1L)));
      try (Connection connection = sessions.open(A, "test")) {
        ShardMapStore.move(connection, name, List.of(MOVE), 1);
      }
      await("the next map", () -> epochs(topic).equals(List.of(1L, 2L)));
    }
    try (TopicPublisher again = TopicPublisher.routing(migration(kafka()))) {
      again.start();
      await("again", () -> epochs(topic).equals(List.of(1L, 2L, 2L)));
    }
    JsonNode map = read(topic).get(2);
    assertEquals("modulo into 8", map.path("partitioning").asText());
    for (int bucket = 0; bucket < 8; bucket++) {
      String owner = map.path("shards").get(map.path("owner").get(bucket).asInt()).asText();
      assertEquals(bucket < 4 ? "a" : "b", owner);
    }
    assertEquals("compact", policy(topic));
    assertTrue(control.registry().items().isEmpty(), "it is not a migration's to delete");
  }

  @Test
  void theTopicOfEventsIsWrittenDownForCleanUpAndNotMadeAgainByIt() throws Exception {
    publishAll();
    assertEquals(1, control.registry().items().size());
    for (MigrationState ending : List.of(MigrationState.CLEANING_UP, MigrationState.CANCELLED)) {
      assertTrue(!TopicPublisher.events(migration(kafka())).runsIn(ending));
    }
  }

  private void publishAll() throws Exception {
    try (TopicPublisher publisher = TopicPublisher.events(migration(kafka()))) {
      publisher.start();
      await(
          "all is published",
          () -> pending() == 0 && publisher.trouble().isEmpty() && !isUnregistered());
    }
  }

  private boolean isUnregistered() {
    return !asked(() -> control.registry().items().stream().anyMatch(i -> i.name().contains(name)));
  }

  private int pending() {
    return asked(() -> control.outbox().pending().size());
  }

  private List<Long> epochs(String topic) {
    return asked(() -> read(topic).stream().map(map -> map.path("epoch").asLong()).toList());
  }

  private interface Question<T> {
    T ask() throws Exception;
  }

  private static <T> T asked(Question<T> question) {
    try {
      return question.ask();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void move(MigrationState from, MigrationState to) throws Exception {
    control.moveTo(from, to, lease.number(), "test", "because");
  }

  private static String kafka() {
    return SharedSandbox.kafka().bootstrapServers();
  }

  private static String policy(String topic) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka()))) {
      return admin
          .describeConfigs(List.of(resource))
          .all()
          .get(10, TimeUnit.SECONDS)
          .get(resource)
          .get("cleanup.policy")
          .value();
    }
  }

  /** All records that a topic holds now; none if there is no topic. */
  private static List<JsonNode> read(String topic) throws Exception {
    List<JsonNode> records = new ArrayList<>();
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka(), "allow.auto.create.topics", "false"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      if (!consumer.listTopics().containsKey(topic)) {
        return records;
      }
      consumer.assign(List.of(partition));
      consumer.seek(partition, 0);
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          records.add(new ObjectMapper().readTree(record.value()));
        }
      }
    }
    return records;
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(40).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("did not happen: " + what);
      }
      TimeUnit.MILLISECONDS.sleep(50); // between two looks
    }
  }

  private Migration migration(String bootstrap) {
    Spec spec =
        new Spec(
            name,
            Map.of(),
            A,
            Map.of("bootstrap.servers", new Secret(bootstrap)),
            new Spec.Topics("reshard", (short) 1),
            null,
            Map.of(),
            null,
            new Spec.Budget(Duration.ofMillis(250)),
            new Spec.Gates(Duration.ofSeconds(2), 0.00001),
            new Spec.Shadow(0),
            new Spec.Copy(1),
            ThrottleSpec.NONE,
            false);
    return new Migration(
        spec,
        new Keyspace(name, BUCKETS, List.of(), List.of()),
        new Moves(List.of(MOVE)),
        BEFORE,
        sessions,
        control,
        new WorkerIdentity(name, lease.number(), dev.reshard.postgres.Marker.random()));
  }
}
