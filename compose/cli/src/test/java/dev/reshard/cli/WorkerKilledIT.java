package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Workers that are killed or frozen at the worst moments, and what the next one makes of it. */
@Timeout(180)
class WorkerKilledIT {
  private static final long SOME = 30;

  @TempDir private Path folder;

  @Test
  void killedWhileCatchingUpItGoesOnWhereItWas() throws Exception {
    try (Shop shop = Shop.open(folder, "killed-behind", 2, 3)) {
      shop.writeFile("budget: { pause: 5s }", "gates: { lag: 0s }"); // never near enough
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        shop.awaitState(MigrationState.CATCHING_UP);
        shop.awaitTransactions(SOME);
        worker.kill();
      }
      assertEquals("CATCHING_UP", shop.state());
      shop.awaitTransactions(SOME);
      shop.writeFile("budget: { pause: 5s }");
      try (WorkerProcess worker = startedOnceTheLeaseIsFree(shop)) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.succeed("verify");
        finish(shop, worker);
      }
      shop.requireClean();
    }
  }

  @Test
  void killedBetweenFenceAndSealNothingHasMovedAndTheNextWorkerCutsOver() throws Exception {
    try (Shop shop = Shop.open(folder, "killed-fenced", 2, 3)) {
      shop.writeFile("budget: { pause: 20s }");
      CompletableFuture<Answer> asked;
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        asked = cutOverIntoAnOpenTransaction(shop, worker::kill);
      }
      assertEquals("CUTTING_OVER", shop.state());
      try (WorkerProcess worker = startedOnceTheLeaseIsFree(shop)) {
        // the one who asked still waits: the new worker does what the old one was asked for,
        // unless its lanes are not there yet when it looks
        requireAnswered(asked);
        finish(shop, worker);
      }
      shop.requireClean();
    }
  }

  @Test
  void frozenBetweenFenceAndSealItDoesNoHarmWhenItWakesUp() throws Exception {
    try (Shop shop = Shop.open(folder, "frozen", 2, 3)) {
      shop.writeFile("budget: { pause: 20s }");
      try (WorkerProcess frozen = WorkerProcess.start(shop.file)) {
        CompletableFuture<Answer> asked =
            cutOverIntoAnOpenTransaction(shop, () -> frozen.signal("STOP"));
        try (WorkerProcess worker = startedOnceTheLeaseIsFree(shop)) {
          requireAnswered(asked);
          shop.succeedOnceGatesOpen("cutover");
          frozen.signal("CONT");
          assertEquals(ExitCode.REFUSED.code(), frozen.awaitEnd());
          assertEquals("COMPLETED", shop.state());
          shop.awaitTransactions(SOME);
          finish(shop, worker);
        }
      }
      shop.requireClean();
    }
  }

  private interface Blow {
    void strike() throws Exception;
  }

  /**
   * Cuts over while an application's transaction has written and does not end, so that the worker
   * waits for it behind the fence; there the blow strikes. Then the transaction ends.
   *
   * @return what the command will answer
   */
  private static CompletableFuture<Answer> cutOverIntoAnOpenTransaction(Shop shop, Blow blow)
      throws Exception {
    shop.awaitState(MigrationState.READY_FOR_CUTOVER);
    shop.succeed("verify");
    SandboxShard source = shop.shards.get("a");
    try (Connection writer = source.connect(SandboxRole.APP);
        Statement statement = writer.createStatement()) {
      writer.setAutoCommit(false);
      CompletableFuture<Answer> asked = null;
      while (!isFenced(source)) {
        if (asked == null || asked.isDone()) { // a gate was closed
          writer.rollback();
          statement.execute("UPDATE plans SET name = name WHERE false");
          statement.execute("DELETE FROM events WHERE false");
          statement.execute("SELECT pg_current_xact_id()");
          asked = CompletableFuture.supplyAsync(() -> shop.run("cutover"));
        }
        TimeUnit.MILLISECONDS.sleep(10); // between two looks
      }
      blow.strike();
      assertTrue(isFenced(source));
      writer.rollback();
      return asked;
    }
  }

  /** Whether a guard is closing: neither open nor closed for good. */
  private static boolean isFenced(SandboxShard shard) throws SQLException {
    List<String> fenced =
        shard.query(
            """
            SELECT g.unit FROM reshard.guard g, reshard.guard_state(g.migration, g.unit) s
             WHERE s.until > 0 AND s.until < 9223372036854775807 AND s.sealed < 2""");
    return !fenced.isEmpty();
  }

  /** Starts workers until one is not refused: the dead one's lease has to run out first. */
  private static WorkerProcess startedOnceTheLeaseIsFree(Shop shop) throws Exception {
    while (!shop.shards
        .get("a")
        .query("SELECT holder FROM reshard.worker WHERE expires > clock_timestamp()")
        .isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(100); // between two looks
    }
    return WorkerProcess.start(shop.file);
  }

  private static void requireAnswered(CompletableFuture<Answer> asked) throws Exception {
    Answer answer = asked.get(90, TimeUnit.SECONDS);
    assertTrue(
        List.of(ExitCode.DONE.code(), ExitCode.REFUSED.code(), ExitCode.GAVE_UP.code())
            .contains(answer.exitCode()),
        answer::toString);
  }

  private static void finish(Shop shop, WorkerProcess worker) throws Exception {
    shop.succeedOnceGatesOpen("cutover");
    assertEquals("COMPLETED", shop.state());
    shop.awaitTransactions(SOME);
    shop.succeed("complete");
    assertEquals(ExitCode.DONE.code(), worker.awaitEnd());
  }
}
