package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.copy.TableCopy;
import dev.reshard.postgres.Lsn;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.verify.RowDifference.Kind;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class FrozenComparisonIT {
  private VerifyScene scene;

  @BeforeEach
  void fillBothSidesAlike() throws SQLException {
    scene = new VerifyScene();
    scene.b().execute("CREATE TYPE spare AS ENUM ('x')");
    scene.shards.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
        "CREATE TYPE place AS (street text, mood mood)",
        "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        """
        CREATE TABLE things (tenant bigint NOT NULL, id text NOT NULL, n bigint, amount numeric,
          ratio float8, word text COLLATE nocase, doc jsonb, raw json, mood mood, moods mood[],
          home place, span interval, at timestamptz, code char(7), tags text[], blob bytea,
          kind regtype, PRIMARY KEY (tenant, id))""",
        """
        INSERT INTO things SELECT g % 50, 'k' || g || chr(65000 + g % 700) || chr(66000), g, g / 4.0,
          g / 3.0, 'w' || g, jsonb_build_object('n', g), '{"a": 1}', 'ok', '{sad,ok}',
          ROW('s' || g, 'sad')::place, '1 mon', '2026-01-01', 'c', '{a,b}', '\\x00ff', 'int4'
          FROM generate_series(1, 800) g""",
        "CREATE TABLE events (tenant bigint NOT NULL, what text)",
        "ALTER TABLE events REPLICA IDENTITY FULL",
        "INSERT INTO events SELECT g % 50, 'e' || g % 3 FROM generate_series(1, 900) g");
  }

  @AfterEach
  void dropShards() throws SQLException {
    scene.close();
  }

  @Test
  void equalSidesHaveNoDifferenceAndOtherBucketsDoNotCount() throws Exception {
    scene
        .a()
        .execute(
            "UPDATE things SET n = -1 WHERE tenant % 8 = 6",
            "DELETE FROM events WHERE tenant % 8 = 7");
    scene.b().execute("INSERT INTO things (tenant, id) VALUES (7, 'own')");
    ComparisonResult result = scene.compare(new VerifyScene.IdleLane(), "things", "events");
    assertTrue(result.isEqual(), result.toString());
    assertEquals(
        scene.a().query("SELECT count(*) FROM things WHERE tenant % 8 < 6").get(0),
        "" + result.tables().get(0).sourceRows());
    assertEquals(List.of("0"), scene.a().query("SELECT count(*) FROM pg_replication_slots"));
  }

  @Test
  void findsOneChangedColumnOfOneRowWhateverItsType() throws Exception {
    List<String> changes =
        List.of(
            "n = 4294967296 + (n # 1)",
            "n = NULL",
            "amount = trim_scale(amount)",
            "ratio = ratio + 1e-13",
            "word = upper(word)",
            "doc = doc || '{\"x\": null}'",
            "raw = '{\"a\":1}'",
            "mood = 'sad'",
            "moods = '{ok,sad}'",
            "home.mood = 'happy'",
            "span = '30 days'",
            "at = at + interval '1 us'",
            "code = 'd'",
            "tags = '[0:1]={a,b}'",
            "blob = '\\x00fe'",
            "kind = 'int8'");
    for (String change : changes) {
      String where = " WHERE tenant = 21 AND id LIKE 'k121%'";
      scene.b().execute("CREATE TABLE before AS SELECT * FROM things" + where);
      scene.b().execute("UPDATE things SET " + change + where);

      TableResult result = scene.compare(new VerifyScene.IdleLane(), "things").tables().get(0);

      assertEquals(1, result.changed(), change + ": " + result);
      assertEquals(0, result.missing() + result.extra(), change + ": " + result);
      assertEquals(List.of("tenant", "id"), result.keyColumns());
      assertEquals("21", result.differences().get(0).key().get(0));
      assertTrue(result.differences().get(0).key().get(1).startsWith("k121"), change);
      scene
          .b()
          .execute(
              "DELETE FROM things" + where, "INSERT INTO things TABLE before", "DROP TABLE before");
    }
  }

  @Test
  void findsTwoRowsThatExchangedOneColumn() throws Exception {
    scene
        .b()
        .execute(
            """
        UPDATE things t SET n = o.n FROM things o
         WHERE t.tenant = 1 AND o.tenant = 1 AND t.n IN (1, 51) AND o.n IN (1, 51) AND t.n <> o.n""");
    assertEquals(2, scene.compare(new VerifyScene.IdleLane(), "things").tables().get(0).changed());
  }

  @Test
  void countsMissingExtraAndChangedRowsExactlyAndNamesTheirKeys() throws Exception {
    scene
        .b()
        .execute(
            "DELETE FROM things WHERE tenant = 3",
            "INSERT INTO things (tenant, id) VALUES (4, 'added'), (6, 'of a bucket that stays')",
            "UPDATE things SET code = 'x' WHERE tenant IN (5, 9, 13, 17, 21, 25, 29, 33, 37, 41)");
    TableResult result = scene.compare(new VerifyScene.IdleLane(), "things").tables().get(0);
    assertEquals(16, result.missing());
    assertEquals(1, result.extra());
    assertEquals(160, result.changed());
    assertEquals(result.sourceRows() - 16 + 1, result.destinationRows());
    assertEquals(100, result.differences().size());
    assertTrue(
        result.differences().stream()
            .anyMatch(
                d ->
                    d.equals(new RowDifference(Kind.MISSING, d.key()))
                        && d.key().get(0).equals("3")));
  }

  @Test
  void findsOneTwinMoreInATableWithoutKey() throws Exception {
    scene.b().execute("INSERT INTO events SELECT * FROM events WHERE tenant = 2 LIMIT 1");
    TableResult result = scene.compare(new VerifyScene.IdleLane(), "events").tables().get(0);
    assertEquals(List.of(0L, 1L, 0L), List.of(result.missing(), result.extra(), result.changed()));
    assertEquals(List.of(), result.keyColumns());
  }

  @Test
  void md5FindsTheSameAsTheHash() throws Exception {
    scene.b().execute("UPDATE things SET amount = trim_scale(amount) WHERE tenant = 21");
    TableCopy copy = scene.plan("things").tables().get(0);
    try (Connection a = frozen(scene.sessions.open(VerifyScene.A, "test"));
        Connection b = frozen(scene.sessions.open(VerifyScene.B, "test"))) {
      for (RowDigest.Algorithm algorithm : RowDigest.Algorithm.values()) {
        TableComparison comparison =
            TableComparison.of(
                a,
                b,
                copy,
                copy.target(VerifyScene.B),
                new Turns(ComparisonLimits.NONE),
                algorithm);
        assertEquals(16, comparison.compare().changed(), algorithm.name());
      }
    }
  }

  @Test
  void comparesOnlyTheGivenKeys() throws Exception {
    scene
        .b()
        .execute(
            "UPDATE things SET code = 'x' WHERE tenant = 21",
            "DELETE FROM things WHERE tenant = 3");
    TableCopy copy = scene.plan("things").tables().get(0);
    List<List<String>> keys = Stream.of("21", "3", "4").map(t -> List.of(t, firstId(t))).toList();
    try (Connection a = frozen(scene.sessions.open(VerifyScene.A, "test"));
        Connection b = frozen(scene.sessions.open(VerifyScene.B, "test"))) {
      TableComparison comparison =
          TableComparison.of(
              a, b, copy, copy.target(VerifyScene.B), new Turns(ComparisonLimits.NONE));
      TableResult result = comparison.compareKeys(comparison.keyColumns(), keys);
      assertEquals(3, result.sourceRows());
      assertEquals(
          List.of(1L, 0L, 1L), List.of(result.missing(), result.extra(), result.changed()));
      assertTrue(comparison.compareKeys(List.of("id"), List.of()).isEqual());
    }
  }

  @Test
  void whatIsWrittenAfterTheAnchorOnEitherSideIsNoDifference() throws Exception {
    VerifyScene.IdleLane lane =
        new VerifyScene.IdleLane() {
          @Override
          public void hold() {
            held = true;
            // before the anchor: the lane still has to bring it
            execute(scene.a(), "UPDATE things SET code = 'new' WHERE tenant = 9");
          }

          @Override
          public boolean applyTo(Lsn position, Duration limit) {
            assertTrue(held);
            target = position;
            execute(scene.a(), "UPDATE things SET code = 'newer' WHERE tenant = 9");
            execute(scene.b(), "UPDATE things SET code = 'new' WHERE tenant = 9");
            return true;
          }

          @Override
          public void resume() {
            held = false;
            execute(scene.b(), "UPDATE things SET code = 'newer'");
          }
        };
    ComparisonResult result = scene.compare(lane, "things");
    assertTrue(result.isEqual(), result.toString());
    assertEquals(lane.target, result.at());
    assertFalse(lane.held);
  }

  @Test
  void letsTheLaneGoAndTriesAgainWhenItTakesTooLong() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    AtomicInteger resumed = new AtomicInteger();
    VerifyScene.IdleLane lane =
        new VerifyScene.IdleLane() {
          @Override
          public boolean applyTo(Lsn position, Duration limit) throws InterruptedException {
            return tries.incrementAndGet() > 1;
          }

          @Override
          public void resume() {
            resumed.incrementAndGet();
          }
        };
    assertTrue(scene.compare(lane, "things").isEqual());
    assertEquals(2, tries.get());
    assertEquals(2, resumed.get());
  }

  @Test
  @Tag("matrix") // it is tried several times before it is given up
  void namesTheTransactionThatKeepsItFromBeingMade() throws Exception {
    VerifyScene.IdleLane lane = new VerifyScene.IdleLane();
    try (Connection app = scene.a().connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      app.setAutoCommit(false);
      statement.execute("UPDATE things SET code = 'z' WHERE tenant = 7");
      ComparisonException refused =
          assertThrows(ComparisonException.class, () -> scene.compare(lane, "things"));
      assertTrue(refused.getMessage().contains("user app"), refused.getMessage());
      assertFalse(lane.held);
      app.rollback();
    }
    assertEquals(List.of("0"), scene.a().query("SELECT count(*) FROM pg_replication_slots"));
    assertTrue(scene.compare(lane, "things").isEqual());
  }

  @Test
  void refusesTablesWithOtherColumns() throws Exception {
    scene.b().execute("ALTER TABLE things ALTER n TYPE numeric");
    ComparisonException refused =
        assertThrows(
            ComparisonException.class, () -> scene.compare(new VerifyScene.IdleLane(), "things"));
    assertTrue(refused.getMessage().contains("n=numeric"), refused.getMessage());
  }

  private static void execute(SandboxShard shard, String sql) {
    try {
      shard.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private String firstId(String tenant) {
    try {
      return scene
          .a()
          .query("SELECT min(id COLLATE \"C\") FROM things WHERE tenant = " + tenant)
          .get(0);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Connection frozen(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    return connection;
  }
}
