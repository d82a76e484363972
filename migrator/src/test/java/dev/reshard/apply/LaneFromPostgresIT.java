package dev.reshard.apply;

import static dev.reshard.apply.LaneKit.A;
import static dev.reshard.apply.LaneKit.B;
import static dev.reshard.apply.LaneKit.BUCKETS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.capture.Capture;
import dev.reshard.capture.CaptureScope;
import dev.reshard.capture.CaptureSource;
import dev.reshard.capture.CaptureTarget;
import dev.reshard.change.ChangeReader;
import dev.reshard.change.ChangeTopics;
import dev.reshard.change.Transaction;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Anchor;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.Publications;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The whole way: concurrent writers on one server, capture, Kafka, a lane, another server. */
@Timeout(240)
class LaneFromPostgresIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int WRITERS = 3;
  private static final int TRANSACTIONS = 150;
  private static final String MOVING = "tenant_id % 16 < 4";
  private static final List<String> TABLES = List.of("orders", "log", "docs");

  private static final String[] DDL = {
    """
    CREATE TABLE orders (tenant_id bigint, id int, code int, note text, price numeric(12,2),
      twice numeric GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (tenant_id, id),
      UNIQUE (tenant_id, code)) PARTITION BY HASH (tenant_id)""",
    "CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    "CREATE TABLE log (tenant_id bigint NOT NULL, line text, data json)",
    "ALTER TABLE log REPLICA IDENTITY FULL",
    "CREATE TABLE docs (id int PRIMARY KEY, tenant_id bigint NOT NULL, tags text[], body text)",
    "ALTER TABLE docs REPLICA IDENTITY FULL",
    "ALTER TABLE docs ALTER body SET STORAGE EXTERNAL"
  };

  private static final Marker MARKER = Marker.random();

  @Test
  void theDestinationIsTheSourceAtEveryPositionItIsStoppedAt() throws Exception {
    try (SandboxShards shards = SharedSandbox.freshShards("a", "b")) {
      shards.execute(DDL);
      shards
          .get("a")
          .execute(
              "ALTER TABLE orders_0 ALTER note SET STORAGE EXTERNAL",
              "GRANT ALL ON orders, log, docs TO app");
      try (Rig rig = new Rig(shards)) {
        rig.capture.start();
        rig.lane.start();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
          int writer = i;
          writers.add(CompletableFuture.runAsync(() -> write(shards.get("a"), writer)));
        }
        for (int i = 0; i < 3; i++) {
          rig.compareAtAnAnchor();
        }
        writers.forEach(CompletableFuture::join);
        String done = MARKER.token("done");
        shards
            .get("a")
            .query(
                "SELECT pg_logical_emit_message(true, '%s', '%s')".formatted(Marker.FENCE, done));
        assertTrue(rig.lane.awaitToken(done, PATIENCE), () -> rig.lane.status().toString());
        for (String table : TABLES) {
          RowComparer.withoutKey()
              .compare(
                  RowSelection.of(shards.get("a"), table).where(MOVING),
                  RowSelection.of(shards.get("b"), table))
              .requireEqual();
        }
        assertTrue(rig.lane.status().rows() > TRANSACTIONS, rig.lane.status()::toString);
      }
    }
  }

  /** Random transactions of one writer on its own rows; each statement may meet none. */
  private static void write(SandboxShard shard, int writer) {
    Random random = new Random(writer);
    try (Connection connection = shard.connect(SandboxRole.APP);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < TRANSACTIONS; i++) {
        for (int n = random.nextInt(6); n >= 0; n--) {
          for (String sql : change(random, writer, i * 10 + n)) {
            statement.execute(sql);
          }
        }
        if (random.nextInt(8) == 0) {
          connection.rollback();
        } else {
          connection.commit();
        }
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> change(Random random, int writer, int fresh) {
    int tenant = random.nextInt(5) + 16 * writer;
    int other = random.nextInt(5) + 16 * writer;
    int id = random.nextInt(40);
    String note = "repeat('%d', %d)".formatted(random.nextInt(10), random.nextInt(6000));
    String code = "(SELECT coalesce(max(code), 0) + 1 FROM orders WHERE tenant_id = %d)";
    return switch (random.nextInt(11)) {
      case 0, 1, 2 ->
          List.of(
              "INSERT INTO orders VALUES (%d, %d, %s, %s, %d.5) ON CONFLICT DO NOTHING"
                  .formatted(tenant, id, code.formatted(tenant), note, id));
      case 3 ->
          List.of(
              "UPDATE orders SET price = price + 1 WHERE tenant_id = %d AND id < %d"
                  .formatted(tenant, id));
      case 4 ->
          List.of("DELETE FROM orders WHERE tenant_id = %d AND id = %d".formatted(tenant, id));
      case 5 ->
          List.of(
              "UPDATE orders SET code = -code WHERE tenant_id = %d".formatted(tenant),
              ("UPDATE orders o SET code = x.code FROM (SELECT id, row_number() OVER (ORDER BY code)"
                      + " AS code FROM orders WHERE tenant_id = %d) x"
                      + " WHERE o.tenant_id = %d AND o.id = x.id")
                  .formatted(tenant, tenant));
      case 6 ->
          List.of(
              ("UPDATE orders SET tenant_id = %d, id = %d, code = %s, note = %s"
                      + " WHERE tenant_id = %d AND id = %d")
                  .formatted(other, 1000 + fresh, code.formatted(other), note, tenant, id));
      case 7 ->
          List.of(
              "INSERT INTO log SELECT %d, 'l%d', '{\"a\": 1}' FROM generate_series(1, 2)"
                  .formatted(tenant, id % 3),
              "UPDATE log SET data = NULL WHERE tenant_id = %d AND line = 'l0'".formatted(tenant));
      case 8 ->
          List.of(
              "DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log WHERE tenant_id = %d)"
                  .formatted(tenant));
      case 9 ->
          List.of(
              "INSERT INTO docs VALUES (%d, %d, ARRAY['x', NULL, '{}'], %s)"
                  .formatted(fresh + 100_000 * writer, tenant, note));
      default ->
          List.of(
              "UPDATE docs SET tenant_id = %d WHERE tenant_id = %d AND id %% 7 = %d"
                  .formatted(other, tenant, id % 7));
    };
  }

  /** Two shards, a capture on one, a lane to the other. */
  private static final class Rig implements AutoCloseable {
    final Capture capture;
    final Lane lane;
    private final ShardSessions sessions;
    private final Map<String, Object> kafka =
        Map.of("bootstrap.servers", SharedSandbox.kafka().bootstrapServers());
    private final String topic;

    Rig(SandboxShards shards) throws SQLException {
      sessions =
          new ShardSessions(
              "m",
              shards.all().stream()
                  .map(
                      s ->
                          new ShardAddress(
                              s.name().equals("a") ? A : B,
                              s.url(),
                              SandboxRole.RESHARD.user(),
                              SandboxRole.RESHARD.password()))
                  .toList());
      String name = shards.get("a").database();
      topic = "changes." + name;
      ChangeTopics.create(kafka, topic, (short) 1);
      Keyspace keyspace =
          new Keyspace(
              "shop",
              HandMade.BUCKETS,
              TABLES.stream()
                  .map(t -> new Keyspace.ShardedTable(new TableId("public", t), "tenant_id"))
                  .toList(),
              List.of());
      WorkerIdentity worker = new WorkerIdentity("m", 1, MARKER);
      try (Connection connection = sessions.open(A, "test")) {
        ShardSchema.install(connection);
        Publications.create(
            connection,
            "pub_" + name,
            keyspace.sharded().stream().map(Keyspace.ShardedTable::id).toList());
      }
      try (Connection replication = sessions.openReplication(A, "test");
          Connection connection = sessions.open(B, "test")) {
        Anchor anchor =
            ReplicationSlots.create(
                replication, A, "slot_" + name, ReplicationSlots.Kind.PERMANENT);
        ShardSchema.install(connection);
        LaneProgress.install(connection);
        ShardSchema.takeLease(connection, worker);
        LaneProgress.create(connection, "m", A, LanePosition.startingAfter(anchor, 0));
      }
      capture =
          new Capture(
              new CaptureSource(
                  sessions,
                  A,
                  "slot_" + name,
                  "pub_" + name,
                  worker.marker(),
                  new CaptureScope(keyspace, BUCKETS, false)),
              new CaptureTarget(kafka, topic),
              new AtomicLong()::incrementAndGet,
              Capture.KAFKA_IS_ENOUGH);
      lane =
          new Lane(
              new LaneConfig(A, B, BUCKETS, false, keyspace, worker),
              LaneLimits.DEFAULT,
              sessions,
              position -> new Reader(position),
              null);
    }

    /** Stops the lane at an anchor, and compares what both sides hold there. */
    void compareAtAnAnchor() throws Exception {
      lane.hold();
      try (Connection replication = sessions.openReplication(A, "test");
          Connection source = sessions.open(A, "test");
          Connection destination = sessions.open(B, "test")) {
        Anchor anchor =
            ReplicationSlots.create(replication, A, "at_anchor", ReplicationSlots.Kind.TEMPORARY);
        source.setAutoCommit(false);
        try (Statement statement = source.createStatement()) {
          statement.execute(
              "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '%s'"
                  .formatted(anchor.snapshot()));
        }
        assertTrue(lane.applyTo(anchor.position(), PATIENCE), () -> lane.status().toString());
        for (String table : TABLES) {
          assertEquals(rows(source, table, MOVING), rows(destination, table, "true"));
        }
      } finally {
        lane.resume();
      }
    }

    private static List<String> rows(Connection connection, String table, String where)
        throws SQLException {
      List<String> rows = new ArrayList<>();
      try (Statement statement = connection.createStatement();
          ResultSet found =
              statement.executeQuery(
                  "SELECT t::text FROM public.%s t WHERE %s ORDER BY t::text COLLATE \"C\""
                      .formatted(table, where))) {
        while (found.next()) {
          rows.add(found.getString(1));
        }
      }
      return rows;
    }

    @Override
    public void close() {
      lane.close();
      capture.close();
      ChangeTopics.delete(kafka, topic);
    }

    private final class Reader implements ChangeSource {
      private final ChangeReader reader;

      Reader(LanePosition from) {
        reader =
            new ChangeReader(
                kafka,
                topic,
                new ChangeReader.Position(from.incarnation(), from.applied(), from.nextOffset()),
                from.server());
      }

      @Override
      public List<Transaction> poll(Duration timeout) {
        return reader.next(timeout).map(List::of).orElse(List.of());
      }

      @Override
      public void close() {
        reader.close();
      }
    }
  }
}
