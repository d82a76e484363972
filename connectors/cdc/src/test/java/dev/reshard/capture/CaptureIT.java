package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.ChangeReader;
import dev.reshard.change.RowChange;
import dev.reshard.change.Transaction;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a shard's changes arrives in the topic, and as what. */
@Timeout(180)
class CaptureIT {
  /** A change in one line: kind, buckets, key, values. */
  private static List<String> lines(Transaction transaction) {
    return transaction.changes().stream().map(CaptureIT::line).toList();
  }

  private static String line(RowChange change) {
    return "%s %s %d>%d %s %s"
        .formatted(
            change.kind(),
            change.table().id().name(),
            change.oldBucket(),
            change.newBucket(),
            Arrays.toString(change.key()),
            Arrays.toString(change.values()));
  }

  @Test
  void aTransactionArrivesWholeAndWithoutRowsOfBucketsThatStay() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction(
          "INSERT INTO orders VALUES (1, 1, 'moves'), (2, 5, 'stays'), (3, 2, NULL)",
          "UPDATE orders SET note = '' WHERE id = 1",
          "DELETE FROM orders WHERE id = 3",
          "INSERT INTO countries VALUES ('de', 'Germany')");
      assertEquals(
          List.of(
              "INSERT orders -1>1 [1, 1] [1, 1, moves]",
              "INSERT orders -1>2 [3, 2] [3, 2, null]",
              "UPDATE orders 1>1 [1, 1] [1, 1, ]",
              "DELETE orders 2>-1 [3, 2] null",
              "INSERT countries -1>-1 [de] [de, Germany]"),
          lines(CaptureRig.next(reader)));
    }
  }

  @Test
  void changesOfKeysCarryOldAndNewBucket() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.inTransaction("INSERT INTO orders VALUES (1, 1, 'a'), (2, 5, 'b'), (3, 5, 'c')");
      rig.startCapture();
      ChangeReader reader = rig.reader();
      assertEquals(1, CaptureRig.next(reader).changes().size());
      rig.inTransaction(
          "UPDATE orders SET id = 10 WHERE id = 1",
          "UPDATE orders SET customer = 6 WHERE id = 10",
          "UPDATE orders SET customer = 2 WHERE id = 2",
          "UPDATE orders SET customer = 6 WHERE id = 3",
          "DELETE FROM orders WHERE id = 2",
          "TRUNCATE orders");
      assertEquals(
          List.of(
              "UPDATE orders 1>1 [1, 1] [10, 1, a]",
              "UPDATE orders 1>6 [10, 1] [10, 6, a]",
              "UPDATE orders 5>2 [2, 5] [2, 2, b]",
              "DELETE orders 2>-1 [2, 2] null",
              "TRUNCATE orders -1>-1 null null"),
          lines(CaptureRig.next(reader)));
    }
  }

  @Test
  void everyTypeArrivesAsTextThatCastsBackExactly() throws SQLException {
    try (CaptureRig rig =
        CaptureRig.with(
            "CREATE TYPE mood AS ENUM ('so so', 'fine')",
            "CREATE TYPE pair AS (a int, b text)",
            """
            CREATE TABLE types (id int, customer int, b bool, f4 real, f8 double precision,
              n numeric, t timetz, ts timestamp, tz timestamptz, d date, i interval, y bytea,
              j json, jb jsonb, u uuid, m money, x xml, e mood, p pair, a text[], r int4range,
              ip inet, c char(5), bi bit(4), o point, g int GENERATED ALWAYS AS (id * 2) STORED,
              PRIMARY KEY (id, customer))""")) {
      rig.shard.executeAsSuperuser(
          Stream.of(
                  "DateStyle = 'German, DMY'",
                  "IntervalStyle = iso_8601",
                  "TimeZone = 'Asia/Kolkata'",
                  "bytea_output = escape",
                  "extra_float_digits = -3")
              .map(s -> "ALTER DATABASE %s SET %s".formatted(rig.shard.database(), s))
              .toArray(String[]::new));
      rig.shard.execute(
          """
            INSERT INTO types VALUES (1, 1, true, 0.1::real, 1e-300::float8 / 3, 'NaN',
              '24:00:00-12', 'infinity', '2024-06-30 23:59:59.999999+02', '4713-01-01 BC',
              'P1Y2M-3DT4H-5.6S', '\\x00ff5c27', '{"a" :  1}', '{"b":[null, "ü"]}',
              'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 12.5, '<a>&lt;</a>', 'so so',
              ROW(1, 'x "y", z'), ARRAY['a,b', NULL, '{}'], '[1,5)', '::1/64', 'ab',
              '0101', '(1.5,-2)')""");
      rig.startCapture();
      RowChange change = CaptureRig.next(rig.reader()).changes().get(0);
      assertFalse(change.table().columns().contains("g"), "a generated column");
      StringBuilder select = new StringBuilder("SELECT ");
      change
          .table()
          .columns()
          .forEach(column -> select.append("format('%s', ").append(column).append("),"));
      select.append("0 FROM types");
      List<String> expected = new ArrayList<>();
      try (Connection connection = rig.sessions.open(rig.source.shard(), "test");
          Statement statement = connection.createStatement()) {
        statement.execute("SET search_path = public");
        try (ResultSet row = statement.executeQuery(select.toString())) {
          row.next();
          for (int i = 1; i <= change.table().columns().size(); i++) {
            expected.add(row.getString(i));
          }
        }
      }
      assertEquals(expected, Arrays.asList(change.values()));
    }
  }

  @Test
  void rowsOfAPartitionedTableCarryItsRootsName() throws SQLException {
    try (CaptureRig rig =
        CaptureRig.with(
            "CREATE TABLE log (id int, customer int, PRIMARY KEY (id, customer))"
                + " PARTITION BY RANGE (id)",
            "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10)",
            "CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20)")) {
      rig.startCapture();
      rig.inTransaction(
          "INSERT INTO log VALUES (1, 1), (11, 1)", "UPDATE log SET id = 12 WHERE id = 1");
      assertEquals(
          List.of(
              "INSERT log -1>1 [1, 1] [1, 1]",
              "INSERT log -1>1 [11, 1] [11, 1]",
              "DELETE log 1>-1 [1, 1] null",
              "INSERT log -1>1 [12, 1] [12, 1]"),
          lines(CaptureRig.next(rig.reader())));
    }
  }

  /** HAZARDS F15. */
  @Test
  void aTransactionOfOurOwnIsDroppedWholeAndOneWithAFenceTokenIsNot() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      WorkerIdentity worker = new WorkerIdentity("test", 1, rig.source.marker());
      try (Connection connection = rig.sessions.open(rig.source.shard(), "test")) {
        ShardSchema.takeLease(connection, worker);
        try (OwnTransaction own =
                OwnTransaction.begin(connection, worker, OwnTransaction.Durability.SYNCHRONOUS);
            Statement statement = connection.createStatement()) {
          statement.execute("INSERT INTO public.orders VALUES (1, 1, 'ours')");
          statement.execute("SAVEPOINT s; DELETE FROM public.orders; ROLLBACK TO s");
          own.commit();
        }
        try (Statement statement = connection.createStatement()) {
          statement.execute(
              "SELECT pg_logical_emit_message(true, '%s', '%s')"
                  .formatted(Marker.FENCE, worker.marker().token("unit 7")));
        }
      }
      rig.startCapture();
      Transaction first = CaptureRig.next(rig.reader());
      assertEquals(List.of(worker.marker().token("unit 7")), first.tokens());
      assertEquals(List.of(), first.changes());
    }
  }

  /** Any role may send such a message. */
  @Test
  void aFenceTokenWithoutTheMigrationsSecretIsNoToken() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      String own = rig.source.marker().token("1");
      rig.inTransaction(
          "SELECT pg_logical_emit_message(true, '%s', 'forged')".formatted(Marker.FENCE),
          "SELECT pg_logical_emit_message(true, '%s', '%s')"
              .formatted(Marker.FENCE, Marker.random().token("1")));
      rig.inTransaction(
          "SELECT pg_logical_emit_message(true, '%s', '%s')".formatted(Marker.FENCE, own));
      rig.startCapture();
      assertEquals(List.of(own), CaptureRig.next(rig.reader()).tokens());
    }
  }

  @Test
  void aMarkerInTheMiddleOfATransactionStopsCaptureByName()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.inTransaction(
          "INSERT INTO orders VALUES (1, 1, 'whose?')",
          "SELECT pg_logical_emit_message(true, '%s', '')".formatted(rig.source.marker().prefix()));
      Capture capture = rig.startCapture();
      assertEquals(CaptureException.Reason.MARKER_NOT_FIRST, CaptureRig.problem(capture));
      assertEquals(CaptureStatus.State.FAILED, capture.status().state());
    }
  }

  /** F21, F24: its slot goes on to keep WAL, and may be lost. */
  @Test
  void theSlotOfACaptureThatGaveUpIsStillLookedAt() throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.inTransaction(
          "INSERT INTO orders VALUES (1, 1, 'whose?')",
          "SELECT pg_logical_emit_message(true, '%s', '')".formatted(rig.source.marker().prefix()));
      Capture capture = rig.startCapture();
      assertEquals(CaptureException.Reason.MARKER_NOT_FIRST, CaptureRig.problem(capture));
      long before = capture.status().slot().orElseThrow().walBytes();
      rig.inTransaction(
          "INSERT INTO orders SELECT g, 1, repeat('x', 500) FROM generate_series(100, 9000) g");
      CaptureRig.await(
          "more WAL", () -> capture.status().slot().orElseThrow().walBytes() > before + 4_000_000);
      assertEquals(CaptureException.Reason.MARKER_NOT_FIRST, CaptureRig.problem(capture));
      rig.shard.executeAsSuperuser(
          "SELECT pg_drop_replication_slot('%s')".formatted(rig.source.slot()));
      CaptureRig.await("the slot's loss", () -> capture.status().isSlotGone());
    }
  }

  /** F1. */
  @Test
  void aDeleteThatDoesNotTellItsShardKeyStopsCaptureByName()
      throws SQLException, InterruptedException {
    try (CaptureRig rig =
        CaptureRig.with("CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint)")) {
      Capture capture = rig.startCapture();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1)");
      assertEquals(List.of("INSERT orders -1>1 [1] [1, 1]"), lines(CaptureRig.next(rig.reader())));
      rig.inTransaction("DELETE FROM orders");
      assertEquals(CaptureException.Reason.IDENTITY_LACKS_SHARD_KEY, CaptureRig.problem(capture));
    }
  }

  /**
   * F1: ALTER TABLE .. REPLICA IDENTITY does not reach partitions, and the stream announces the
   * table's.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "DELETE FROM orders",
        "UPDATE orders SET id = 2",
        "UPDATE orders SET customer = 6",
        "UPDATE orders SET note = 'new'"
      })
  void aPartitionThatSaysLessThanItsTableStopsCaptureByName(String change)
      throws SQLException, InterruptedException {
    try (CaptureRig rig =
        CaptureRig.with(
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL, note text) PARTITION BY RANGE (id)",
            "CREATE TABLE part PARTITION OF orders FOR VALUES FROM (0) TO (10)",
            "ALTER TABLE orders REPLICA IDENTITY FULL")) {
      Capture capture = rig.startCapture();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1, 'old')");
      rig.inTransaction(change);
      assertEquals(CaptureException.Reason.IDENTITY_LACKS_SHARD_KEY, CaptureRig.problem(capture));
    }
  }

  /** F2: published without a key, a table needs FULL; then every column is the key. */
  @Test
  void aTableWithoutAKeyArrivesWithAllItsColumnsAsKey() throws SQLException {
    try (CaptureRig rig =
        CaptureRig.with(
            "CREATE TABLE log (customer bigint, line text)",
            "ALTER TABLE log REPLICA IDENTITY FULL")) {
      rig.startCapture();
      rig.inTransaction(
          "INSERT INTO log VALUES (1, 'a'), (1, NULL)",
          "UPDATE log SET line = 'b' WHERE line = 'a'",
          "DELETE FROM log WHERE line IS NULL");
      Transaction transaction = CaptureRig.next(rig.reader());
      assertTrue(transaction.changes().get(0).table().isKeyless());
      assertEquals(
          List.of(
              "INSERT log -1>1 [1, a] [1, a]",
              "INSERT log -1>1 [1, null] [1, null]",
              "UPDATE log 1>1 [1, a] [1, b]",
              "DELETE log 1>-1 [1, null] null"),
          lines(transaction));
    }
  }

  @Test
  void aTableThatTheKeyspaceDoesNotKnowStopsCaptureByName()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.shard.execute("CREATE TABLE later (id int PRIMARY KEY)");
      try (Connection connection = rig.shard.connectAsOwner();
          Statement statement = connection.createStatement()) {
        statement.execute("RESET ROLE");
        statement.execute(
            "ALTER PUBLICATION %s ADD TABLE later".formatted(rig.source.publication()));
      }
      rig.shard.execute("INSERT INTO later VALUES (1)");
      assertEquals(CaptureException.Reason.UNKNOWN_TABLE, CaptureRig.problem(rig.startCapture()));
    }
  }

  @Test
  void anAddedColumnArrivesFromTheNextRowOn() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1, 'a')");
      assertEquals(
          List.of("id", "customer", "note"),
          CaptureRig.next(reader).changes().get(0).table().columns());
      rig.shard.execute("ALTER TABLE orders ADD more int DEFAULT 7");
      rig.inTransaction("UPDATE orders SET note = 'b'");
      assertEquals(
          List.of("UPDATE orders 1>1 [1, 1] [1, 1, b, 7]"), lines(CaptureRig.next(reader)));
    }
  }

  @Test
  void aTransactionOfManyChunksArrivesWhole() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.startCapture();
      rig.inTransaction(
          "INSERT INTO orders SELECT i, i % 8, repeat('x', 100) FROM generate_series(1, 40000) i");
      Transaction transaction = CaptureRig.next(rig.reader());
      assertEquals(20_000, transaction.changes().size());
      assertEquals("40000", transaction.changes().get(19_999).values()[0]);
    }
  }

  /** HAZARDS F35. */
  @Test
  void anIdleShardStillTellsHowFarItIsAndItsSlotMovesOn()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      Capture capture = rig.startCapture();
      ChangeReader reader = rig.reader();
      Transaction heartbeat = reader.next(Duration.ofSeconds(60)).orElseThrow();
      assertEquals(List.of(), heartbeat.changes());
      assertTrue(reader.lag().committed().isPresent());
      CaptureRig.await(
          "the slot is confirmed behind the heartbeat",
          () -> !heartbeat.end().isAfter(rig.confirmed()));
      assertTrue(capture.status().publishedAt().isPresent());
      assertEquals(CaptureStatus.State.STREAMING, capture.status().state());
    }
  }

  /** HAZARDS F23, F24. */
  @Test
  void theSlotIsConfirmedOnlyAsFarAsTheDestinationsAreSafe()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      Lsn start = rig.confirmed();
      List<Lsn> safe = new ArrayList<>(List.of(start));
      Capture capture = rig.startCapture(() -> safe.get(safe.size() - 1));
      ChangeReader reader = rig.reader();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1, 'a')");
      Transaction first = CaptureRig.next(reader);
      Transaction later = reader.next(Duration.ofSeconds(60)).orElseThrow();
      CaptureRig.await(
          "more was acknowledged", () -> !later.end().isAfter(capture.status().published()));
      assertEquals(start, rig.confirmed());
      safe.add(first.end());
      CaptureRig.await("the slot moved", () -> rig.confirmed().equals(first.end()));
    }
  }
}
