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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Workers that are killed or frozen at the worst moments, and what the next one makes of it. */
@Timeout(300)
@Tag("matrix")
class WorkerKilledIT {
  private static final long SOME = 30;
  private static final String FENCED =
      "s.until > 0 AND s.until < %d AND s.sealed < 2".formatted(Long.MAX_VALUE);
  private static final String CLOSED = "s.sealed = 2";

  @TempDir private Path folder;

  @Test
  void killedBetweenFenceAndSealNothingHasMovedAndTheNextWorkerCutsOver() throws Exception {
    try (Shop shop = Shop.open(folder, "killed-fenced", 2, 3)) {
      CompletableFuture<Answer> asked;
      try (WorkerProcess worker = readyToCutOver(shop)) {
        asked = cutOverIntoAnOpenTransaction(shop, worker::kill);
      }
      assertEquals("CUTTING_OVER", shop.state());
      assertEquals(List.of("FENCED", "AT_SOURCE"), places(shop));
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        requireAnswered(asked);
        finish(shop, worker);
      }
      shop.requireClean();
    }
  }

  @Test
  void killedBetweenSealAndOpenTheNextWorkerGoesForwardOnceItMayLogIn() throws Exception {
    try (Shop shop = Shop.open(folder, "killed-sealed", 2, 3)) {
      CompletableFuture<Answer> asked;
      try (WorkerProcess worker = readyToCutOver(shop)) {
        asked = cutOverButDoNotOpen(shop, worker::kill);
      }
      assertEquals("CUTTING_OVER", shop.state());
      assertEquals(List.of("FENCED", "AT_SOURCE"), places(shop)); // what the shard says counts
      SandboxShard receiver = shop.shards.get("c");
      receiver.executeAsSuperuser("ALTER ROLE reshard NOLOGIN");
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        awaitStoppedLane(shop);
        receiver.executeAsSuperuser("ALTER ROLE reshard LOGIN");
        requireAnswered(asked);
        assertEquals("AT_DESTINATION", places(shop).get(0));
        finish(shop, worker);
      }
      shop.requireClean();
    }
  }

  @Test
  void frozenBetweenFenceAndSealItDoesNoHarmWhenItWakesUp() throws Exception {
    try (Shop shop = Shop.open(folder, "frozen", 2, 3)) {
      try (WorkerProcess frozen = readyToCutOver(shop)) {
        CompletableFuture<Answer> asked =
            cutOverIntoAnOpenTransaction(shop, () -> frozen.signal("STOP"));
        try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
          requireAnswered(asked);
          shop.succeedOnceGatesOpen("cutover");
          frozen.signal("CONT");
          assertEquals(ExitCode.REFUSED.code(), frozen.awaitEnd());
          assertTrue(hasGuard(shop.shards.get("a"), CLOSED));
          assertEquals("COMPLETED", shop.state());
          shop.awaitTransactions(SOME);
          finish(shop, worker);
        }
      }
      shop.requireClean();
    }
  }

  private static void awaitStoppedLane(Shop shop) throws Exception {
    String sql = "SELECT 1 FROM reshard.worker WHERE report::text LIKE '%STOPPED%'";
    while (shop.shards.get("a").query(sql).isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(50); // between two looks
    }
  }

  private interface Blow {
    void strike() throws Exception;
  }

  /** A worker whose budget is so long that only the blow ends a pause. */
  private static WorkerProcess readyToCutOver(Shop shop) throws Exception {
    shop.writeFile("budget: { pause: 20s }");
    WorkerProcess worker = WorkerProcess.start(shop.file);
    try {
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      return worker;
    } catch (Exception | Error e) {
      worker.close();
      throw e;
    }
  }

  /**
   * Cuts over into an application's transaction that has written and does not end, so that the
   * worker waits for it behind the fence; there the blow strikes. It begins when the gates, which
   * would see it, have been passed: until then the attempt cannot be reserved.
   *
   * @return what the command will answer
   */
  private static CompletableFuture<Answer> cutOverIntoAnOpenTransaction(Shop shop, Blow blow)
      throws Exception {
    SandboxShard source = shop.shards.get("a");
    try (Connection writer = source.connect(SandboxRole.APP);
        Connection holder = source.connect(SandboxRole.SUPERUSER)) {
      writer.setAutoCommit(false);
      holder.setAutoCommit(false);
      boolean[] writing = new boolean[1];
      return cutOverUntil(
          () -> {
            if (!writing[0] && shop.state().equals("CUTTING_OVER")) {
              execute(writer, "DELETE FROM public.events WHERE false");
              execute(writer, "SELECT pg_current_xact_id()");
              holder.rollback();
              writing[0] = true;
            }
            return hasGuard(source, FENCED);
          },
          shop,
          () -> {
            writer.rollback();
            holder.rollback();
            execute(holder, "SELECT FROM reshard.stage_unit FOR UPDATE");
            writing[0] = false;
          },
          blow);
    }
  }

  /** Cuts over while the destination's guard is held, so that it cannot be opened. */
  private static CompletableFuture<Answer> cutOverButDoNotOpen(Shop shop, Blow blow)
      throws Exception {
    SandboxShard source = shop.shards.get("a");
    try (Connection holder = shop.shards.get("c").connect(SandboxRole.SUPERUSER)) {
      holder.setAutoCommit(false);
      return cutOverUntil(
          () -> hasGuard(source, CLOSED),
          shop,
          () -> {
            holder.rollback();
            execute(holder, "SELECT FROM reshard.guard FOR UPDATE");
          },
          blow);
    }
  }

  private interface Look {
    boolean isTrue() throws SQLException;
  }

  /** Asks for the cutover, again while a gate is closed; the blow strikes when the look is true. */
  private static CompletableFuture<Answer> cutOverUntil(
      Look look, Shop shop, Blow before, Blow blow) throws Exception {
    CompletableFuture<Answer> asked = CompletableFuture.completedFuture(null);
    while (!look.isTrue()) {
      if (asked.isDone()) {
        before.strike();
        asked = CompletableFuture.supplyAsync(() -> shop.run("cutover"));
      }
      TimeUnit.MILLISECONDS.sleep(10); // between two looks
    }
    blow.strike();
    assertTrue(look.isTrue(), "the worker was past the moment when the blow struck");
    return asked;
  }

  private static boolean hasGuard(SandboxShard shard, String condition) throws SQLException {
    return !shard
        .query(
            """
            SELECT g.unit FROM reshard.guard g, reshard.guard_state(g.migration, g.unit) s
             WHERE %s"""
                .formatted(condition))
        .isEmpty();
  }

  /** Of the units a > c and b > c. */
  private static List<String> places(Shop shop) throws SQLException {
    return shop.shards.get("a").query("SELECT place FROM reshard.stage_unit ORDER BY source");
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /**
   * The one who asked still waits, so the new worker does what the old one was asked for, unless
   * its lanes are not there yet when it looks.
   */
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
