package dev.reshard.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Migration;
import dev.reshard.postgres.Lsn;
import dev.reshard.probe.Prober;
import dev.reshard.sandbox.SandboxRole;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class DualReadsIT {
  private static final int PER_SECOND = 400;

  private DualReadsScene scene;
  private Migration migration;
  private ShadowService shadow;
  private Prober prober;

  @BeforeEach
  void open() throws Exception {
    scene = new DualReadsScene();
    migration = scene.migration(PER_SECOND, 1);
    shadow = new ShadowService(migration);
    prober = new Prober(migration);
  }

  @AfterEach
  void close() throws Exception {
    prober.close();
    shadow.close();
    scene.close();
  }

  private void start() throws Exception {
    shadow.start();
    prober.start();
  }

  private void awaitTotal(String what, Predicate<Counts> condition) throws InterruptedException {
    DualReadsScene.await(what, () -> shadow.total().filter(condition).isPresent());
  }

  private Counts total() {
    return shadow.total().orElseThrow();
  }

  /** Values of one of our topics, from its beginning. */
  private List<String> values(String topic) {
    Map<String, Object> properties = new HashMap<>(migration.kafka());
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      List<String> values = new ArrayList<>();
      while (consumer.position(partition) < end) {
        consumer
            .poll(Duration.ofMillis(200))
            .forEach(record -> values.add(new String(record.value(), StandardCharsets.UTF_8)));
      }
      return values;
    }
  }

  private String mismatches() {
    return values(migration.topics().mismatches()).toString();
  }

  @Test
  void equalRowsMatchAndOpenTheGate() throws Exception {
    scene.catchUp();
    RateGate gate = new RateGate(shadow, migration, OptionalLong::empty);
    assertFalse(gate.look().open());
    start();
    awaitTotal("enough reads", counts -> counts.compared() >= RateGate.ENOUGH_READS);
    assertEquals(0, total().differences());
    assertTrue(gate.look().open(), gate.look().toString());
    DualReadsScene.await(
        "every table is read", () -> shadow.counts().filter(c -> c.size() == 3).isPresent());
    assertTrue(prober.trouble().isEmpty(), prober.trouble().toString());
    assertTrue(shadow.trouble().isEmpty(), shadow.trouble().toString());
    assertTrue(shadow.report().toString().contains("upper_bound"), shadow.report().toString());
  }

  @Test
  void oneColumnOfOneRowThatDiffersIsFoundByChance() throws Exception {
    scene.b().execute("UPDATE events SET note = '' WHERE tenant = 2 AND id = 102");
    scene.catchUp();
    start();
    keepCatchingUpUntil("the difference", counts -> counts.of(Outcome.MISMATCH) > 0);
    prober.close();
    assertEquals(0, total().of(Outcome.MISSING) + total().of(Outcome.EXTRA));
    DualReadsScene.await( // it is counted before Kafka has it
        "its name", () -> mismatches().contains("\"key\":\"tenant=2, id=102\""));
    String all = mismatches();
    assertFalse(all.replace("tenant=2, id=102", "").contains("id="), "only that row: " + all);
    assertFalse(new RateGate(shadow, migration, OptionalLong::empty).look().open());
    assertTrue(shadow.trouble().orElseThrow().contains(migration.topics().mismatches()));
    DualReadsScene.await(
        "a rate",
        () ->
            values(migration.topics().mismatchRate()).stream()
                .anyMatch(json -> json.contains("public.events")));
  }

  @Test
  void aDifferenceInARowThatALaneNamesIsFound() throws Exception {
    scene.b().execute("UPDATE \"Odd, name\" SET amount = amount + 0.01 WHERE id = 52");
    scene.catchUp();
    start();
    prober.changed(new TableId("public", "Odd, name"), List.of("id", "tenant"), List.of("52", "2"));
    keepCatchingUpUntil("the difference", counts -> counts.of(Outcome.MISMATCH) > 0);
  }

  @Test
  void missingAndExtraRowsAreFound() throws Exception {
    scene.b().execute("DELETE FROM orders WHERE id = 53");
    scene.b().execute("INSERT INTO events (id, tenant) VALUES (9999, 1)");
    scene.catchUp();
    start();
    keepCatchingUpUntil(
        "both", counts -> counts.of(Outcome.MISSING) > 0 && counts.of(Outcome.EXTRA) > 0);
    assertEquals(0, total().of(Outcome.MISMATCH));
  }

  /** The lane stands still while all rows change; then it has applied all at once. */
  @Test
  void aDestinationThatLagsIsNoDifference() throws Exception {
    scene.catchUp();
    scene.a().execute("UPDATE orders SET amount = amount + 1", "DELETE FROM events WHERE id > 200");
    start();
    awaitTotal("lag is seen", counts -> counts.of(Outcome.LAGGING) >= 30);
    assertEquals(0, total().differences());
    Thread.sleep(2_500); // by then the lane is far behind
    String pairs = prober.report().toString();
    Thread.sleep(500); // time to make a mistake in
    assertEquals(pairs, prober.report().toString(), "the servers are left to the lane");

    Lsn position = scene.position();
    try (Connection lane = scene.b().connect(SandboxRole.SUPERUSER);
        Statement statement = lane.createStatement()) {
      lane.setAutoCommit(false);
      statement.execute("UPDATE orders SET amount = amount + 1");
      statement.execute("DELETE FROM events WHERE id > 200");
      statement.execute(DualReadsScene.progress(position));
      lane.commit();
    }
    long before = total().of(Outcome.MATCH);
    keepCatchingUpUntil("answers", counts -> counts.of(Outcome.MATCH) >= before + 500);
    assertEquals(0, total().differences());
  }

  /** Values go there and back, rows go and return, and a lane follows at its own changing pace. */
  @Test
  void rowsThatNeverRestAreNoDifference() throws Exception {
    scene.catchUp();
    Random random = new Random(42);
    BlockingQueue<String[]> stream = new LinkedBlockingQueue<>();
    AtomicBoolean stopped = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    Future<?> writer = threads.submit(() -> write(stream, stopped, random));
    Future<?> lane = threads.submit(() -> follow(stream, stopped, new Random(43)));
    start();
    awaitTotal(
        "all but differences",
        counts ->
            counts.compared() >= 2_000
                && counts.of(Outcome.LAGGING) >= 50
                && counts.of(Outcome.RACED) >= 5);
    stopped.set(true);
    writer.get(30, TimeUnit.SECONDS);
    lane.get(30, TimeUnit.SECONDS);
    threads.shutdown();
    assertEquals(0, total().differences(), values(migration.topics().mismatches()).toString());
  }

  private Void write(BlockingQueue<String[]> stream, AtomicBoolean stopped, Random random)
      throws Exception {
    try (Connection source = scene.a().connect(SandboxRole.APP);
        Statement statement = source.createStatement()) {
      while (!stopped.get()) {
        int tenant = random.nextInt(4);
        int id = 300_000 + tenant;
        String sql =
            switch (random.nextInt(4)) {
              case 0 -> "DELETE FROM orders WHERE id = " + id;
              case 1 -> "UPDATE orders SET note = 'x' WHERE id = " + id;
              case 2 -> "UPDATE orders SET note = 'y' WHERE id = " + id;
              default ->
                  "INSERT INTO orders (id, tenant, note) VALUES (%d, %d, 'x') ON CONFLICT DO NOTHING"
                      .formatted(id, tenant);
            };
        if (statement.executeUpdate(sql) == 1) {
          stream.put(
              new String[] {sql, scene.position().toString(), "" + id, Integer.toString(tenant)});
        }
        Thread.sleep(1); // an application that is not the fastest
      }
    }
    return null;
  }

  private Void follow(BlockingQueue<String[]> stream, AtomicBoolean stopped, Random random)
      throws Exception {
    try (Connection destination = scene.b().connect(SandboxRole.SUPERUSER);
        Statement statement = destination.createStatement()) {
      destination.setAutoCommit(false);
      while (!stopped.get()) {
        String[] next = stream.poll(100, TimeUnit.MILLISECONDS);
        if (next == null) {
          continue;
        }
        statement.executeUpdate(next[0]);
        statement.executeUpdate(DualReadsScene.progress(Lsn.parse(next[1])));
        destination.commit();
        prober.changed(
            new TableId("public", "orders"), List.of("id", "tenant"), List.of(next[2], next[3]));
        if (random.nextInt(200) == 0) {
          Thread.sleep(random.nextInt(400)); // falls behind
        }
      }
    }
    return null;
  }

  @Test
  void aDifferenceIsNotForgottenByTheNextWorkerAndNothingButTheTopicsIsLeft() throws Exception {
    scene.b().execute("DELETE FROM orders WHERE id = 53");
    scene.catchUp();
    start();
    prober.changed(new TableId("public", "orders"), List.of("id", "tenant"), List.of("53", "3"));
    keepCatchingUpUntil("the difference", counts -> counts.differences() > 0);
    prober.close();
    shadow.close();
    assertEquals(Set.of(), groups());

    shadow = new ShadowService(scene.migration(PER_SECOND, 2));
    shadow.start();
    awaitTotal("it is counted again", counts -> counts.differences() > 0);
    shadow.close();
    assertEquals(Set.of(), groups());
    assertEquals(new TreeSet<>(ShadowTopics.topics(migration.topics())), topics());
    Set<String> registered = new TreeSet<>();
    scene.control.registry().items().forEach(item -> registered.add(item.name()));
    assertEquals(topics(), registered);
  }

  @Test
  void theGroupOfAKilledWorkerIsDeletedThoughItsMembershipHasNotRunOut() throws Exception {
    Map<String, Object> properties = new HashMap<>(migration.kafka());
    properties.put("group.id", ShadowTopics.groups(migration.topics()) + "0");
    ShadowTopics.create(migration);
    KafkaConsumer<byte[], byte[]> killed =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    killed.subscribe(List.of(migration.topics().shadowReads()));
    DualReadsScene.await(
        "it is a member",
        () -> killed.poll(Duration.ofMillis(100)).isEmpty() && !killed.assignment().isEmpty());
    killed.close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.REMAIN_IN_GROUP));
    assertEquals(1, groups().size());
    shadow.close();
    assertEquals(Set.of(), groups());
  }

  @Test
  void whatLeftItsSourceIsNotCompared() throws Exception {
    scene.sql(DualReadsScene.A, "UPDATE reshard.stage_unit SET place = 'AT_DESTINATION'");
    scene.b().execute("UPDATE orders SET note = 'written by its new owner'");
    scene.catchUp();
    start();
    Thread.sleep(1_000); // time to make a mistake in
    assertEquals("{probes={pairs=0, to_read_again=0, given_up=0}}", prober.report().toString());
    scene.sql(DualReadsScene.A, "UPDATE reshard.stage_unit SET place = 'AT_SOURCE'");
    keepCatchingUpUntil("now it is", counts -> counts.differences() > 0);
  }

  @Test
  void withARateOfNoneNothingIsMadeAndTheGateIsOpen() throws Exception {
    Migration none = scene.migration(0, 1);
    try (ShadowService service = new ShadowService(none);
        Prober idle = new Prober(none)) {
      service.start();
      idle.start();
      idle.changed(new TableId("public", "orders"), List.of("id", "tenant"), List.of("53", "3"));
      assertTrue(new RateGate(service, none, OptionalLong::empty).look().open());
      assertEquals(Map.of(), service.report());
      assertEquals(Map.of(), idle.report());
    }
    assertEquals(Set.of(), topics());
  }

  /** As heartbeats do: without them a lane of a quiet source would never pass a bound. */
  private void keepCatchingUpUntil(String what, Predicate<Counts> condition) throws Exception {
    DualReadsScene.await(
        what,
        () -> {
          try {
            scene.catchUp();
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
          return shadow.total().filter(condition).isPresent();
        });
  }

  private Set<String> topics() throws Exception {
    try (Admin admin = Admin.create(migration.kafka())) {
      Set<String> ours = new TreeSet<>(admin.listTopics().names().get(10, TimeUnit.SECONDS));
      ours.removeIf(topic -> !topic.startsWith(migration.topics().all()));
      return ours;
    }
  }

  private Set<String> groups() throws Exception {
    try (Admin admin = Admin.create(migration.kafka())) {
      Set<String> ours = new TreeSet<>();
      admin.listGroups().all().get(10, TimeUnit.SECONDS).forEach(g -> ours.add(g.groupId()));
      ours.removeIf(group -> !group.startsWith(migration.topics().all()));
      return ours;
    }
  }
}
