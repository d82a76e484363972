package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static dev.reshard.apply.LaneKit.PATIENCE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.TcpProxy;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Crashes, lost connections, locks, and other workers. */
@Timeout(180)
class LaneFailureIT {
  private static final Source T =
      Source.of("t", List.of("tenant_id", "id", "v"), List.of("tenant_id", "id"), "tenant_id");
  private static final String ROWS =
      "SELECT tenant_id || '/' || id || '/' || v FROM t ORDER BY tenant_id, id";

  private static LaneKit kit() throws Exception {
    return LaneKit.withSharded(
        "t", "CREATE TABLE t (tenant_id bigint, id int, v text, PRIMARY KEY (tenant_id, id))");
  }

  /** A change applied twice would be an error: its row would be there, or be gone, already. */
  @Test
  void connectionsThatBreakAtAnyMomentLoseAndRepeatNothing() throws Exception {
    Random random = new Random(42);
    try (LaneKit kit = kit();
        TcpProxy proxy = TcpProxy.to(kit.shard.server())) {
      Lane lane = kit.lane(kit.through(proxy), null);
      lane.start();
      for (int i = 0; i < 400; i++) {
        String id = "" + i;
        kit.source.commit(
            T.insert("1", id, "a"),
            T.update(row("1", id, null), "1", id, "b"),
            T.insert("2", id, "x"));
        kit.source.commit(T.delete("2", id, null));
        if (i % 20 == 10) {
          Thread.sleep(random.nextInt(20)); // any moment
          LaneKit.breakConnections(proxy);
        }
      }
      kit.source.token("end");
      assertTrue(lane.awaitToken("end", PATIENCE), () -> lane.status().toString());
      assertEquals(
          List.of("400/400"),
          kit.query("SELECT count(*) || '/' || count(*) FILTER (WHERE v = 'b') FROM t"));
    }
  }

  /** A commit is made wait by a constraint that is deferred; its session is cut meanwhile. */
  @Test
  void rowsOfACommitWhoseAnswerWasLostAreToldToo() throws Exception {
    Set<String> told = ConcurrentHashMap.newKeySet();
    ChangedKeys listener =
        new ChangedKeys() {
          @Override
          public void changed(TableId table, List<String> columns, List<String> key, Lsn end) {
            told.add(String.join("/", key));
          }

          @Override
          public void truncated(TableId table, Lsn end) {}
        };
    try (LaneKit kit = kit();
        TcpProxy proxy = TcpProxy.to(kit.shard.server())) {
      kit.shard.executeAsSuperuser(
          """
          CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
          CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION slow();
          ALTER TABLE t ENABLE ALWAYS TRIGGER slow""");
      Lane lane = kit.lane(kit.through(proxy), listener);
      lane.start();
      kit.source.commit(T.insert("1", "1", "a"));
      while (kit.query(
              "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'")
          .isEmpty()) {
        Thread.sleep(5); // between two looks
      }
      LaneKit.breakConnections(proxy);
      kit.source.token("end");
      assertTrue(lane.awaitToken("end", PATIENCE), () -> lane.status().toString());
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
      assertEquals(Set.of("1/1"), told);
    }
  }

  /**
   * What the server answers to a statement it never got, nobody hears; also the other way round.
   */
  @Test
  void aSessionThatGetsNoAnswerIsReplaced() throws Exception {
    try (LaneKit kit = kit().limits(LaneLimits.DEFAULT.withLookEvery(Duration.ofSeconds(1)));
        TcpProxy proxy = TcpProxy.to(kit.shard.server())) {
      Lane lane = kit.lane(kit.through(proxy), null);
      lane.start();
      for (int i = 0; i < 3; i++) {
        kit.source.commit(T.insert("1", "" + i, "a"));
        kit.source.token("t" + i);
        assertTrue(lane.awaitToken("t" + i, PATIENCE), () -> lane.status().toString());
        proxy.forget();
      }
      assertEquals(List.of("1/0/a", "1/1/a", "1/2/a"), kit.query(ROWS));
    }
  }

  @Test
  void aDestinationThatTakesNoWritesForAWhileIsWaitedForAndConnectedToAnew() throws Exception {
    try (LaneKit kit = kit();
        TcpProxy proxy = TcpProxy.to(kit.shard.server())) {
      Lane lane = kit.lane(kit.through(proxy), null);
      lane.start();
      String role = "ALTER ROLE reshard IN DATABASE " + kit.shard.database();
      kit.shard.executeAsSuperuser(role + " SET default_transaction_read_only = on");
      LaneKit.breakConnections(proxy);
      kit.source.commit(T.insert("1", "1", "a"));
      while (!lane.status().reason().orElse("").contains("read-only")) {
        assertFalse(lane.status().isStopped(), () -> lane.status().toString());
        Thread.sleep(10); // between two looks
      }
      kit.shard.executeAsSuperuser(role + " RESET default_transaction_read_only");
      kit.source.token("end");
      assertTrue(lane.awaitToken("end", PATIENCE), () -> lane.status().toString());
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
    }
  }

  @Test
  void aNewLaneGoesOnFromTheStoredPosition() throws Exception {
    try (LaneKit kit = kit()) {
      for (int i = 0; i < 5; i++) {
        kit.source.commit(T.insert("1", "" + i, "a"));
        kit.source.commit(T.insert("2", "" + i, "a"), T.delete("1", "" + i, null));
        kit.applyAll();
      }
      assertEquals(5, kit.source.timesOpened());
      assertEquals(List.of("2/0/a", "2/1/a", "2/2/a", "2/3/a", "2/4/a"), kit.query(ROWS));
    }
  }

  @Test
  void aDestinationThatLostItsLastCommitsGetsThemAgain() throws Exception {
    try (LaneKit kit = kit();
        TcpProxy proxy = TcpProxy.to(kit.shard.server())) {
      Lane lane = kit.lane(kit.through(proxy), null);
      lane.start();
      kit.source.commit(List.of("one"), List.of(T.insert("1", "1", "a")));
      assertTrue(lane.awaitToken("one", PATIENCE));
      String before =
          kit.query(
                  "SELECT format('applied = %L, next_offset = %s', applied, next_offset) FROM reshard.lane")
              .get(0);
      kit.source.commit(List.of("two"), List.of(T.insert("1", "2", "b"), T.delete("1", "1", null)));
      assertTrue(lane.awaitToken("two", PATIENCE));

      kit.shard.executeAsSuperuser(
          """
          BEGIN; TRUNCATE t; INSERT INTO t VALUES (1, 1, 'a');
          UPDATE reshard.lane SET %s; COMMIT"""
              .formatted(before));
      LaneKit.breakConnections(proxy);
      kit.source.commit(List.of("three"), List.of(T.insert("1", "3", "c")));
      assertTrue(lane.awaitToken("three", PATIENCE), () -> lane.status().toString());
      assertEquals(List.of("1/2/b", "1/3/c"), kit.query(ROWS));
      assertEquals(2, kit.source.timesOpened());
    }
  }

  @Test
  void aDeadlockIsRetriedAndNeverCostsTheApplicationItsTransaction() throws Exception {
    try (LaneKit kit = kit();
        Connection application = kit.shard.connect(SandboxRole.APP);
        Statement statement = application.createStatement()) {
      kit.shard.execute("INSERT INTO t VALUES (1, 1, 'a'), (1, 2, 'a')");
      application.setAutoCommit(false);
      statement.execute("SELECT FROM t WHERE id = 2 FOR UPDATE");
      Lane lane = kit.start();
      kit.source.commit(
          List.of("end"),
          List.of(
              T.update(row("1", "1", null), "1", "1", "b"),
              T.update(row("1", "2", null), "1", "2", "b")));
      while (kit.query("SELECT 1 FROM pg_locks WHERE NOT granted").isEmpty()) {
        Thread.onSpinWait();
      }
      statement.execute("SELECT FROM t WHERE id = 1 FOR UPDATE");
      application.commit();
      assertTrue(lane.awaitToken("end", PATIENCE), () -> lane.status().toString());
      assertEquals(List.of("1/1/b", "1/2/b"), kit.query(ROWS));
    }
  }

  @Test
  void aLockThatIsHeldForLongIsToldAndWaitedForAndTheLaneStillCloses() throws Exception {
    try (LaneKit kit = kit();
        Connection application = kit.shard.connect(SandboxRole.APP);
        Statement statement = application.createStatement()) {
      kit.shard.execute("INSERT INTO t VALUES (1, 1, 'a')");
      application.setAutoCommit(false);
      statement.execute("SELECT FROM t FOR UPDATE");
      kit.source.commit(T.update(row("1", "1", null), "1", "1", "b"));
      Lane lane = kit.start();
      while (lane.status().state() != LaneStatus.State.RETRYING) {
        Thread.onSpinWait();
      }
      assertTrue(lane.status().reason().orElseThrow().contains("55P03"));
      lane.close();
      assertEquals(LaneStatus.State.CLOSED, lane.status().state());
      application.rollback();
      kit.applyAll();
      assertEquals(List.of("1/1/b"), kit.query(ROWS));
    }
  }

  @Test
  void aTopicThatCannotBeReadIsTriedAgainAndAnAppliedTokenIsKnownMeanwhile() throws Exception {
    try (LaneKit kit = kit()) {
      kit.source.commit(List.of("x"), List.of(T.insert("1", "1", "a")));
      Lane first = kit.start();
      assertTrue(first.awaitToken("x", PATIENCE));
      first.close();
      kit.source.fails(true);
      kit.source.commit(List.of("y"), List.of(T.insert("1", "2", "b")));
      Lane lane = kit.start();
      assertTrue(lane.awaitToken("x", PATIENCE), () -> lane.status().toString());
      while (lane.status().state() != LaneStatus.State.RETRYING) {
        Thread.onSpinWait();
      }
      assertTrue(lane.status().reason().orElseThrow().contains("away"));
      kit.source.fails(false);
      assertTrue(lane.awaitToken("y", PATIENCE), () -> lane.status().toString());
      kit.source.fails(true);
      while (lane.status().state() != LaneStatus.State.RETRYING) {
        Thread.onSpinWait();
      }
      kit.source.commit(List.of("z"), List.of(T.insert("1", "3", "c")));
      kit.source.fails(false);
      assertTrue(lane.awaitToken("z", PATIENCE), () -> lane.status().toString());
      assertEquals(List.of("1/1/a", "1/2/b", "1/3/c"), kit.query(ROWS));
    }
  }

  @Test
  void aWorkerThatLostTheLeaseWritesNothingMore() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      kit.source.commit(List.of("x"), List.of(T.insert("1", "1", "a")));
      assertTrue(lane.awaitToken("x", PATIENCE));
      try (Connection connection = kit.connect()) {
        ShardSchema.takeLease(connection, new WorkerIdentity("m", 2, Marker.random()));
      }
      kit.source.commit(T.insert("1", "2", "b"));
      LaneException stop = assertThrows(LaneException.class, () -> lane.awaitToken("y", PATIENCE));
      assertEquals(Problem.LEASE_LOST, stop.problem());
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
      assertEquals(Problem.LEASE_LOST, kit.stops().problem());
    }
  }

  @Test
  void aLaneWhosePositionSomebodyElseMovedStops() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      kit.source.commit(List.of("x"), List.of(T.insert("1", "1", "a")));
      assertTrue(lane.awaitToken("x", PATIENCE));
      kit.shard.executeAsSuperuser("UPDATE reshard.lane SET applied = 'F/0'");
      kit.source.commit(T.insert("1", "2", "b"));
      LaneException stop = assertThrows(LaneException.class, () -> lane.awaitToken("y", PATIENCE));
      assertEquals(Problem.OVERTAKEN, stop.problem());
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
    }
  }

  @Test
  void aMissingTransactionStopsTheLaneAfterAllBeforeIt() throws Exception {
    try (LaneKit kit = kit()) {
      kit.source.commit(T.insert("1", "1", "a"));
      kit.source.commitAfterGap(T.insert("1", "3", "c"));
      assertEquals(Problem.GAP, kit.stops().problem());
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
    }
  }
}
