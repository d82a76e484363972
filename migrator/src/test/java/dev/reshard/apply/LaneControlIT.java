package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static dev.reshard.apply.LaneKit.A;
import static dev.reshard.apply.LaneKit.PATIENCE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a lane is told to do by others: hold, run to a position, be mute. */
@Timeout(120)
class LaneControlIT {
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final Source T =
      Source.of("t", List.of("tenant_id", "id", "v"), List.of("tenant_id", "id"), "tenant_id");
  private static final String ROWS =
      "SELECT tenant_id || '/' || id || '/' || v FROM t ORDER BY tenant_id, id";

  private static LaneKit kit() throws Exception {
    return LaneKit.withSharded(
        "t", "CREATE TABLE t (tenant_id bigint, id int, v text, PRIMARY KEY (tenant_id, id))");
  }

  /** HAZARDS F21. */
  @Test
  void aHeldLaneAppliesExactlyUpToAPosition() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      kit.source.commit(List.of("first"), List.of(T.insert("1", "1", "a")));
      assertTrue(lane.awaitToken("first", PATIENCE));
      lane.hold();
      Lsn before = lane.applied();
      kit.source.commit(T.insert("1", "2", "b"));
      Lsn target = kit.source.commit(T.insert("1", "3", "c"));
      kit.source.commit(T.insert("1", "4", "d"));
      assertEquals(before, lane.applied());
      assertTrue(lane.applyTo(target, PATIENCE));
      assertEquals(target, lane.applied());
      assertEquals(List.of("1/1/a", "1/2/b", "1/3/c"), kit.query(ROWS));
      assertEquals(LaneStatus.State.HELD, lane.status().state());
      kit.source.token("end");
      lane.resume();
      assertTrue(lane.awaitToken("end", PATIENCE));
      assertEquals(List.of("1/1/a", "1/2/b", "1/3/c", "1/4/d"), kit.query(ROWS));
    }
  }

  @Test
  void aPositionBetweenTransactionsIsReachedWhenALaterOneProvesIt() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      lane.hold();
      Lsn target = new Lsn(kit.source.commit(T.insert("1", "1", "a")).value() + 3);
      assertFalse(lane.applyTo(target, SHORT));
      CompletableFuture<Void> later =
          CompletableFuture.runAsync(() -> kit.source.commit(T.insert("1", "2", "b")));
      assertTrue(lane.applyTo(target, PATIENCE));
      later.join();
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
    }
  }

  @Test
  void aPositionThatIsPassedIsRefused() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      kit.source.token("x");
      assertTrue(lane.awaitToken("x", PATIENCE));
      lane.hold();
      assertThrows(
          IllegalStateException.class, () -> lane.applyTo(HandMade.START, Duration.ofSeconds(1)));
    }
  }

  @Test
  void aTokenIsSeenOnlyWhenItsTransactionIsDurable() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      assertFalse(lane.awaitToken("x", SHORT));
      kit.source.commit(T.insert("1", "1", "a"));
      Lsn end = kit.source.commit(List.of("x"), List.of(T.insert("1", "2", "b")));
      assertTrue(lane.awaitToken("x", PATIENCE));
      assertEquals(end, lane.durable().applied());
      assertEquals(List.of("1/1/a", "1/2/b"), kit.query(ROWS));
      lane.close();
      Lane next = kit.start();
      assertTrue(next.awaitToken("x", PATIENCE));
      assertEquals(end, next.durable().applied());
    }
  }

  @Test
  void whoWaitsForATokenLearnsThatTheLaneIsClosed() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      lane.close();
      lane.close();
      LaneException closed =
          assertThrows(LaneException.class, () -> lane.awaitToken("x", PATIENCE));
      assertEquals(Problem.CLOSED, closed.problem());
      assertThrows(LaneException.class, lane::hold);
      assertEquals(LaneStatus.State.CLOSED, lane.status().state());
    }
  }

  @Test
  void aLateChangeOfABucketThatLeftIsKeptAsideAndStopsTheLane() throws Exception {
    try (LaneKit kit = kit()) {
      Lane lane = kit.start();
      kit.source.commit(List.of("x"), List.of(T.insert("1", "1", "a"), T.insert("2", "1", "a")));
      assertTrue(lane.awaitToken("x", PATIENCE));
      try (Connection connection = kit.connect()) {
        LaneProgress.mute(connection, "m", A, BucketSet.of(1));
      }
      kit.source.commit(T.update(row("2", "1", null), "2", "1", "b"));
      kit.source.commit(T.insert("2", "2", "with it"), T.delete("1", "1", null));
      LaneException stop = assertThrows(LaneException.class, () -> lane.awaitToken("y", PATIENCE));
      assertEquals(Problem.MUTED_BUCKET, stop.problem());
      assertEquals(List.of("1/1/a", "2/1/b"), kit.query(ROWS));
      assertEquals(
          List.of("public.t DELETE {1,1}"),
          kit.query("SELECT table_name || ' ' || kind || ' ' || key::text FROM reshard.rejected"));
      assertEquals(Problem.MUTED_BUCKET, kit.stops().problem());

      try (Connection connection = kit.connect()) {
        LaneProgress.unmute(connection, "m", A, BucketSet.of(1));
      }
      kit.applyAll();
      assertEquals(List.of("2/1/b", "2/2/with it"), kit.query(ROWS));
    }
  }

  /** HAZARDS F14. */
  @Test
  void aTruncateAfterABucketLeftIsAViolation() throws Exception {
    try (LaneKit kit = kit()) {
      try (Connection connection = kit.connect()) {
        LaneProgress.mute(connection, "m", A, BucketSet.of(3));
      }
      kit.source.commit(T.insert("1", "1", "a"));
      kit.source.commit(T.truncate());
      assertEquals(Problem.MUTED_BUCKET, kit.stops().problem());
      assertEquals(List.of("1/1/a"), kit.query(ROWS));
      assertEquals(List.of("TRUNCATE"), kit.query("SELECT kind FROM reshard.rejected"));
    }
  }

  @Test
  void everyChangedKeyIsToldBeforeThePositionShows() throws Exception {
    ConcurrentLinkedQueue<String> told = new ConcurrentLinkedQueue<>();
    ChangedKeys listener =
        new ChangedKeys() {
          @Override
          public void changed(TableId table, List<String> columns, List<String> key, Lsn end) {
            told.add(table.name() + columns + key);
          }

          @Override
          public void truncated(TableId table, Lsn end) {
            told.add(table.name() + " truncated");
          }
        };
    try (LaneKit kit = kit()) {
      Lane lane = kit.lane(listener);
      lane.start();
      kit.source.commit(T.insert("1", "1", "a"), T.insert("9", "1", "not ours"), T.truncate());
      kit.source.commit(
          List.of("x"),
          List.of(T.insert("1", "2", "b"), T.update(row("1", "2", null), "1", "3", "c")));
      assertTrue(lane.awaitToken("x", PATIENCE));
      assertEquals(
          List.of(
              "t[tenant_id, id][1, 1]",
              "t truncated",
              "t[tenant_id, id][1, 2]",
              "t[tenant_id, id][1, 2]",
              "t[tenant_id, id][1, 3]"),
          List.copyOf(told));
    }
  }

  @Test
  void mutingALaneThatIsNotThereIsAnError() throws Exception {
    try (LaneKit kit = kit();
        Connection connection = kit.connect()) {
      LaneProgress.forget(connection, "m", A);
      assertThrows(
          SQLException.class, () -> LaneProgress.mute(connection, "m", A, BucketSet.of(1)));
      assertEquals(Problem.DESTINATION_FAILED, kit.stops().problem());
    }
  }
}
