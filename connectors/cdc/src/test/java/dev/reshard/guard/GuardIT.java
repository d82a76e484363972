package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static dev.reshard.guard.GuardedShard.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.guard.GuardState.Kind;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;

class GuardIT {
  private static final String MOVING = "UPDATE orders SET note = 'y' WHERE customer = 1";
  private static final String STAYING = "UPDATE orders SET note = 'y' WHERE customer = 5";

  private GuardedShard a;
  private Connection app;

  @BeforeEach
  void arm() throws SQLException {
    a = GuardedShard.withOrders();
    app = a.app();
  }

  @AfterEach
  void drop() throws SQLException {
    app.close();
    a.close();
  }

  @Test
  void anArmedSourceTakesEveryWriteOfItsOwn() {
    assertEquals("passed", outcome(app, MOVING));
    assertEquals("passed", outcome(app, STAYING));
  }

  @Test
  void aFenceStopsTheUnitsBucketsOnlyAndALiftLetsThemGoOn() throws SQLException {
    a.fence(1);
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
    assertEquals("passed", outcome(app, STAYING));
    assertEquals(Kind.FENCED, state().kind());
    assertTrue(a.guard.lift(a.ours, 1));
    assertEquals("passed", outcome(app, MOVING));
    assertEquals(Kind.OPEN, state().kind());
  }

  @Test
  void aFenceEndsByItself() throws SQLException {
    a.guard.fence(a.ours, 1, Duration.ZERO);
    assertEquals("passed", outcome(app, MOVING));
    assertTrue(state().touched());
  }

  @Test
  void aSealClosesForGoodAndNamesTheNewOwner() throws SQLException {
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    assertEquals(Kind.CLOSED, state().kind());
    assertRefused(
        MOVING,
        "bucket 1 belongs to shard b since epoch 2",
        "{\"state\":\"MOVED\",\"bucket\":1,\"owner\":\"b\",\"epoch\":2}");
    assertRefused(
        "INSERT INTO orders VALUES (1000, 34, '')",
        "bucket 2 belongs to shard c since epoch 2",
        "{\"state\":\"MOVED\",\"bucket\":2,\"owner\":\"c\",\"epoch\":2}");
    assertEquals("passed", outcome(app, STAYING));
  }

  @Test
  void aFencedWriteIsToldToWait() throws SQLException {
    a.fence(1);
    assertRefused(
        "UPDATE orders SET customer = 0 WHERE customer = 5",
        "bucket 0 is being moved; try again",
        "{\"state\":\"WAIT\",\"bucket\":0,\"owner\":\"a\",\"epoch\":1}");
    assertRefused(
        "UPDATE orders SET customer = 5 WHERE customer = 0",
        "bucket 0 is being moved; try again",
        "{\"state\":\"WAIT\",\"bucket\":0,\"owner\":\"a\",\"epoch\":1}");
  }

  @Test
  void nothingIsSealedOnceAWriteGotThrough() throws SQLException {
    a.guard.fence(a.ours, 1, Duration.ZERO);
    execute(app, MOVING);
    assertFalse(a.guard.seal(a.ours, 1, 2));
    assertEquals("passed", outcome(app, MOVING));
    assertTrue(a.guard.lift(a.ours, 1));
  }

  @Test
  void aFenceThatRanOutUnusedCanBeSealed() throws SQLException {
    a.guard.fence(a.ours, 1, Duration.ZERO);
    execute(app, STAYING);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
  }

  @Test
  void aSealIsNotLiftedAndCanBeRepeated() throws SQLException {
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    assertFalse(a.guard.lift(a.ours, 1));
    assertFalse(a.guard.lift(a.ours, 2));
    assertEquals(Kind.CLOSED, state().kind());
  }

  @Test
  void theSameAttemptMaySealAgain() throws SQLException {
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    assertTrue(a.guard.seal(a.ours, 1, 2));
  }

  @Test
  void aSealOutlivesTheTransactionItWasIn() throws SQLException {
    a.fence(1);
    a.ours.setAutoCommit(false);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    a.ours.rollback();
    a.ours.setAutoCommit(true);
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
    assertFalse(a.guard.lift(a.ours, 2), "recovery goes forward");
    assertEquals(1, state().fencedAttempt());
  }

  @Test
  void aWorkerThatFreezesInItsSealsTransactionDoesNotStopTheNextOne() throws SQLException {
    a.fence(1);
    a.ours.setAutoCommit(false);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    try (Connection next = a.sessions.open(GuardedShard.A, "next")) {
      assertFalse(a.guard.lift(next, 2), "it is sealed, so the way is forward");
    }
    assertThrows(SQLException.class, () -> a.ours.commit());
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
  }

  @Test
  void aDelayedSealOfALiftedAttemptIsRefused() throws SQLException {
    a.fence(1);
    a.guard.lift(a.ours, 1);
    assertRefusedCall(Guard.WRONG_STATE, () -> a.guard.seal(a.ours, 1, 2));
    a.fence(2);
    assertRefusedCall(Guard.VOID_ATTEMPT, () -> a.guard.seal(a.ours, 1, 2));
    assertRefusedCall(Guard.VOID_ATTEMPT, () -> a.guard.lift(a.ours, 1));
    assertEquals(Kind.FENCED, state().kind());
  }

  @Test
  void anAttemptFencesOnce() throws SQLException {
    a.fence(1);
    a.guard.lift(a.ours, 1);
    assertRefusedCall(Guard.VOID_ATTEMPT, () -> a.guard.fence(a.ours, 1, GuardedShard.BUDGET));
    assertEquals("passed", outcome(app, MOVING));
  }

  @Test
  void aClaimVoidsWhatCameBefore() throws SQLException {
    a.fence(1);
    a.guard.claim(a.ours, 5);
    assertRefusedCall(Guard.VOID_ATTEMPT, () -> a.guard.seal(a.ours, 1, 2));
    assertTrue(a.guard.lift(a.ours, 5));
  }

  @Test
  void aSealedSourceIsOpenedByAHigherAttemptOnly() throws SQLException {
    a.fence(1);
    a.guard.seal(a.ours, 1, 2);
    assertRefusedCall(Guard.VOID_ATTEMPT, () -> a.guard.open(a.ours, 1, 3));
    a.guard.open(a.ours, 2, 3);
    assertEquals("passed", outcome(app, MOVING));
    a.guard.open(a.ours, 2, 3);
    assertEquals(3, state().epoch());
  }

  @Test
  void anOpenWhoseServerProcessDiedHalfWayCanBeRepeated() throws SQLException {
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    // what is left of it: sequences do not roll back
    a.shard.query("SELECT setval(broken_seq, 0), setval(sealed_seq, 0) FROM reshard.guard");
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
    a.guard.open(a.ours, 2, 3);
    assertEquals("passed", outcome(app, MOVING));
  }

  @Test
  void aWorkerWithoutTheLeaseChangesNothing() throws SQLException {
    a.fence(1);
    Guard zombie = new Guard(GuardedShard.UNIT, new WorkerIdentity("shop", 0, a.worker.marker()));
    assertRefusedCall("RS002", () -> zombie.seal(a.ours, 1, 2));
    assertRefusedCall("RS002", () -> zombie.lift(a.ours, 1));
    assertRefusedCall("RS002", () -> zombie.claim(a.ours, 9));
    assertEquals(Kind.FENCED, state().kind());
  }

  private GuardState state() throws SQLException {
    return a.guard.state(a.ours).orElseThrow();
  }

  private void assertRefused(String sql, String message, String detail) {
    PSQLException refused = assertThrows(PSQLException.class, () -> execute(app, sql));
    assertEquals(Guard.REFUSED_WRITE, refused.getSQLState());
    assertEquals(message, refused.getServerErrorMessage().getMessage());
    assertEquals(detail, refused.getServerErrorMessage().getDetail());
  }

  interface Call {
    void run() throws SQLException;
  }

  static void assertRefusedCall(String state, Call call) {
    SQLException refused = assertThrows(SQLException.class, call::run);
    assertEquals(state, refused.getSQLState(), refused.getMessage());
  }
}
