package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.LaneException;
import dev.reshard.control.MigrationState;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A copy that ends again and again, while an application writes all the time. */
@Timeout(180)
class RoundsIT {
  private static final long SEED = 7;
  private static final int BUT_ONE = 30;
  private static final int MOST_WRITES = 20_000;

  private RoundsScene scene;
  private volatile boolean stop;

  @BeforeEach
  void open() throws Exception {
    scene = new RoundsScene();
  }

  @AfterEach
  void close() throws SQLException {
    scene.close();
  }

  /** F35: else the slot's first WAL would be older than what says which changes are wanted. */
  @Test
  void aSourceIsPublishedBeforeItsReplicationSlotIsMade() throws Exception {
    String both =
        """
        SELECT (SELECT count(*) FROM pg_publication) || ' '
            || (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())""";
    assertEquals(List.of("1 0"), scene.shards.get("a").query(both));
    scene.round(1);
    assertEquals(List.of("1 1"), scene.shards.get("a").query(both));
  }

  @Test
  void anotherRoundGoesOnWhereTheLastOneEndedAndTheRowsAreEqual() throws Exception {
    CompletableFuture<Void> writer = CompletableFuture.runAsync(this::write);
    for (int chunks : new int[] {12, 6, 8}) {
      assertEquals(MigrationState.COPYING, scene.round(chunks).next());
    }
    List<String> anchors =
        scene
            .shards
            .get("b")
            .query("SELECT DISTINCT anchor FROM reshard.copied_chunk WHERE table_name = 'orders'");
    assertTrue(anchors.size() > 1, "all of orders was copied in one round: " + anchors);
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    stop = true;
    writer.get(30, TimeUnit.SECONDS);
    scene.requireEqual();
    assertEquals(List.of("0"), scene.shards.get("b").query("SELECT count(*) FROM reshard.refetch"));
  }

  /** F18: its records are still in the topic when the copy begins from nothing. */
  @Test
  void aSourceThatFailedOverIsCopiedAnewAndItsFormerServersRecordsAreNotApplied() throws Exception {
    assertEquals(MigrationState.COPYING, scene.round(6).next());
    for (String destination : List.of("b", "c")) {
      scene
          .shards
          .get(destination)
          .executeAsSuperuser("UPDATE reshard.lane SET timeline = timeline + 1");
    }
    scene.publishAsFormerServer();
    LaneException refused = assertThrows(LaneException.class, () -> scene.round(6));
    assertEquals(LaneException.Problem.OTHER_SERVER, refused.problem());
    assertEquals(List.of("0"), scene.shards.get("b").query("SELECT count(*) FROM reshard.lane"));
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    scene.requireEqual();
  }

  /** It would keep WAL that nobody looks at. */
  @Test
  void aReceiverThatCannotBeCapturedIsNamedAndNoOthersSlotIsLeft() throws Exception {
    scene.slotLimit = Duration.ofSeconds(1);
    scene.shards.get("c").execute("CREATE TABLE theirs (id int)");
    try (Connection app = scene.shards.get("c").connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      app.setAutoCommit(false);
      statement.execute("INSERT INTO theirs VALUES (1)");
      SQLTimeoutException refused =
          assertThrows(SQLTimeoutException.class, () -> scene.round(Integer.MAX_VALUE));
      assertTrue(
          refused.getMessage().contains("pid " + ShardSessions.pid(app) + " (user app"),
          refused.getMessage());
      for (String receiver : List.of("b", "c")) {
        assertEquals(
            List.of(),
            scene
                .shards
                .get(receiver)
                .query(
                    "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"));
      }
      app.rollback();
    }
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    scene.requireEqual();
  }

  /** F4: rows move into ranges that were copied. */
  @Test
  void aTableThatWasWrittenAnewBetweenTwoRoundsIsCopiedWhole() throws Exception {
    CompletableFuture<Void> writer = CompletableFuture.runAsync(this::write);
    assertEquals(MigrationState.COPYING, scene.round(6).next());
    scene.a().execute("DELETE FROM orders WHERE id % 2 = 0");
    scene.a().execute("VACUUM FULL orders", "VACUUM FULL events");
    assertEquals(MigrationState.COPYING, scene.round(3).next());
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    stop = true;
    writer.get(30, TimeUnit.SECONDS);
    scene.requireEqual();
  }

  /** F5 and F6: what the stream does not tell makes a table begin again, and no other one. */
  @Test
  void aTableThatWasAlteredOrLostAPartitionBetweenTwoRoundsBeginsAgain() throws Exception {
    assertEquals(MigrationState.COPYING, scene.round(25).next());
    scene
        .a()
        .execute(
            "ALTER TABLE orders ALTER COLUMN note TYPE text USING upper(note)",
            "ALTER TABLE days DETACH PARTITION days1");
    assertEquals(MigrationState.COPYING, scene.round(3).next());
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    scene.requireEqual();
  }

  @Test
  void aRightOrTheStatisticsOfAColumnDoNotMakeATableBeginAgain() throws Exception {
    String chunks =
        "SELECT anchor || ' ' || count(*) FROM reshard.copied_chunk WHERE table_name = 'orders' GROUP BY anchor ORDER BY anchor LIMIT 1";
    assertEquals(MigrationState.COPYING, scene.round(25).next());
    List<String> before = scene.shards.get("b").query(chunks);
    assertEquals(1, before.size());
    scene
        .a()
        .execute(
            "GRANT SELECT (note) ON orders TO PUBLIC",
            "ALTER TABLE orders ALTER COLUMN note SET STATISTICS 50");
    assertEquals(MigrationState.COPYING, scene.round(3).next());
    assertEquals(before, scene.shards.get("b").query(chunks));
  }

  /** F5 and F6, where the ledger knows nothing of what was changed, or all of the table. */
  @Test
  void whatNoMessageToldOfPartitionsAndOfTablesNotBegunIsSeen() throws Exception {
    assertEquals(MigrationState.COPYING, scene.round(1).next());
    scene
        .a()
        .execute(
            "INSERT INTO orders SELECT tenant, id + 500000, 'New' FROM orders WHERE id % 50 = 0",
            "ALTER TABLE orders ALTER COLUMN note TYPE text USING lower(note)");
    scene.shards.execute(
        "CREATE TABLE days3 (tenant bigint NOT NULL, day date NOT NULL, note text, PRIMARY KEY (tenant, day))");
    scene
        .a()
        .execute(
            "INSERT INTO days3 SELECT tenant, day + 130, note FROM days WHERE day < '2026-01-20'");
    assertEquals(MigrationState.COPYING, scene.round(BUT_ONE).next());
    scene.shards.execute(
        "ALTER TABLE days ATTACH PARTITION days3 FOR VALUES FROM ('2026-05-01') TO ('2026-08-01')");
    assertEquals(MigrationState.COPYING, scene.round(1).next());
    scene.a().execute("TRUNCATE days1");
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    scene.requireEqual();
  }

  /** Every kind of change, of rows that are there and of rows that are not yet. */
  private void write() {
    Random random = new Random(SEED);
    try (Connection connection = scene.a().connect(SandboxRole.APP);
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < MOST_WRITES && !stop; i++) {
        int id = 1 + random.nextInt(6_000);
        String row = " WHERE tenant = %d AND id = %d".formatted(id % 97, id);
        String day =
            " WHERE tenant = %d AND day = date '2026-01-01' + %d"
                .formatted(random.nextInt(97), random.nextInt(110));
        write(
            statement,
            switch (random.nextInt(12)) {
              case 0, 1, 2 ->
                  "UPDATE orders SET note = repeat('n', %d)".formatted(random.nextInt(500)) + row;
              case 3 -> "UPDATE orders SET doc = repeat('d', 4000)" + row;
              case 4 -> "DELETE FROM orders" + row;
              case 5 -> "UPDATE orders SET id = id + 1000000" + row;
              case 6 -> "UPDATE orders SET tenant = tenant + 1, id = id + 2000000" + row;
              case 7 ->
                  "INSERT INTO orders VALUES (%d, %d, 'new', repeat('w', 3000))"
                      .formatted(id % 97, 10_000 + i);
              case 8 -> "UPDATE days SET note = 'changed %d'".formatted(i) + day;
              case 9 ->
                  "UPDATE days SET day = '2026-04-25'"
                      + day
                      + " AND NOT EXISTS (SELECT FROM days d WHERE d.tenant = days.tenant AND d.day = '2026-04-25')";
              case 10 -> "INSERT INTO events VALUES (%d, 'event of %d')".formatted(id % 97, i);
              default ->
                  "DELETE FROM events WHERE ctid IN (SELECT ctid FROM events WHERE tenant = %d LIMIT 1)"
                      .formatted(id % 97);
            });
        TimeUnit.MILLISECONDS.sleep(2); // some hundred a second
      }
    } catch (SQLException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A new tenant's bucket may be another shard's. */
  private static void write(Statement statement, String sql) throws SQLException {
    try {
      statement.execute(sql);
    } catch (SQLException e) {
      if (!"RS001".equals(e.getSQLState())) {
        throw e;
      }
    }
  }
}
