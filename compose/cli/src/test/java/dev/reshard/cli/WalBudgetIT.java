package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What our replication slots keep, and what happens when one is gone. */
@Timeout(180)
class WalBudgetIT {
  private static final Duration FOUND = Duration.ofSeconds(5);

  private static final String NOTHING_BEGINS =
      "throttle: { windows: [ { from: \"00:00\", to: \"23:59:59.999\", zone: UTC, rate: 0MB/s } ] }";

  @TempDir private Path folder;

  @Test
  @Tag("matrix")
  void aUsedUpBudgetPausesTheMigrationUntilItIsRaisedInTheFile() throws Exception {
    try (Shop shop = Shop.open(folder, "wal-budget", 1, 2)) {
      shop.writeFile("budget: { pause: 5s, wal: 5MB }", "gates: { lag: 0s }"); // stays in its state
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        shop.awaitState(MigrationState.CATCHING_UP);
        write(shop.shards.get("a"));
        worker.awaitSaid("CATCHING_UP > PAUSED");
        String status = shop.run("status").text();
        assertTrue(
            status.matches(
                "(?s).*blocks +the worker paused it \\(shard a keeps WAL for replication slot reshard_wal_budget_a: \\d+ MB of 5 MB \\(budget.wal\\).*"),
            status);
        assertTrue(status.contains("or raise the limit; a new one in the file"), status);
        assertTrue(status.matches("(?s).*wal +a [^,]+ of 5\\.0 MB.*"), status);
      }
      shop.writeFile("budget: { pause: 5s, wal: 400MB }");
      try (WorkerProcess worker = WorkerProcess.start(shop.file, "--standby")) {
        shop.succeedOnceAlive("resume");
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.awaitTransactions(20);
        assertEquals("READY_FOR_CUTOVER", shop.state());
        shop.succeed("cancel");
        assertEquals(ExitCode.DONE.code(), worker.awaitEnd());
      }
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void asACopyUsesItsBudgetUpItIsWarnedOfThenHeldBackThenPaused() throws Exception {
    try (Shop shop = Shop.open(folder, "wal-steps", 1, 2)) {
      shop.writeFile("budget: { pause: 5s, wal: 60MB }", NOTHING_BEGINS);
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.COPYING);
      try (Connection locker = shop.shards.get("b").connect(SandboxRole.SUPERUSER);
          Connection old = shop.shards.get("a").connect(SandboxRole.SUPERUSER)) {
        execute(locker, "BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE"); // the copy is under way
        shop.unthrottle();
        awaitStatus(shop, "wal +a .* of 60 MB"); // it is captured: its slot is whole
        // the shard must keep all WAL since then
        execute(old, "BEGIN; SELECT pg_logical_emit_message(true, 'test', 'old')");
        for (int i = 0; i < 3; i++) {
          write(shop.shards.get("a"));
        }
        awaitStatus(
            shop, "shard a keeps WAL for replication slot reshard_wal_steps_a: 3\\d MB of 60 MB");
        assertFalse(shop.run("status").text().contains("WAL of a is"));
        write(shop.shards.get("a"));
        awaitStatus(
            shop, "at 25 % of its free rate: WAL of a is 4\\d MB of 60 MB \\(budget.wal\\)");
        assertEquals("COPYING", shop.state());
        write(shop.shards.get("a"));
        awaitStatus(shop, "reshard_wal_steps_a: 6\\d MB of 60 MB");
        execute(locker, "ROLLBACK"); // a chunk under way is ended
        requirePausedInTime(shop, "shard a keeps WAL for replication slot reshard_wal_steps_a: 6");
      }
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  private static void awaitStatus(Shop shop, String pattern) throws InterruptedException {
    Pattern wanted = Pattern.compile(pattern);
    String status = "";
    for (int i = 0; i < 150 && !wanted.matcher(status).find(); i++) {
      TimeUnit.MILLISECONDS.sleep(200); // between two looks
      status = shop.run("status").text();
    }
    assertTrue(wanted.matcher(status).find(), status);
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  void aDroppedReplicationSlotIsFoundWithinSecondsNamedAndPausesWhateverTheState()
      throws Exception {
    try (Shop shop = Shop.open(folder, "wal-gone", 2, 3)) {
      shop.writeFile("budget: { pause: 5s }", "throttle: { rate: 10kB/s }");
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.COPYING);
      dropSlot(shop.shards.get("b"), "reshard_wal_gone_b");
      requirePausedInTime(shop, "shard b has no replication slot reshard_wal_gone_b any more");
      shop.unthrottle();
      shop.succeed("resume"); // begins the copy again, from a new anchor
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);

      dropSlot(shop.shards.get("c"), "reshard_wal_gone_c");
      requirePausedInTime(shop, "shard c has no replication slot reshard_wal_gone_c any more");
      shop.succeed("resume"); // mends nothing
      requirePausedInTime(shop, "'reshard cancel' removes all that was made");
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  private static void requirePausedInTime(Shop shop, String reason) throws Exception {
    long start = System.nanoTime();
    shop.awaitState(MigrationState.PAUSED);
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(took.compareTo(FOUND) < 0, () -> "it took " + took);
    String status = shop.run("status").text();
    assertTrue(status.contains("the worker paused it (") && status.contains(reason), status);
  }

  /** Faster than the server moves the slot's restart position. */
  private static void write(SandboxShard shard) throws SQLException {
    shard.executeAsSuperuser("SELECT pg_logical_emit_message(true, 'test', repeat('x', 12000000))");
  }

  /** As somebody does who takes a slot that is being read for a forgotten one. */
  private static void dropSlot(SandboxShard shard, String slot) throws Exception {
    String found = "SELECT active FROM pg_replication_slots WHERE slot_name = '%s'".formatted(slot);
    while (!shard.query(found).contains("t")) {
      TimeUnit.MILLISECONDS.sleep(20); // until it is made and read
    }
    while (!shard.query(found).isEmpty()) {
      try {
        shard.executeAsSuperuser(
            """
            SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
             WHERE slot_name = '%s' AND active"""
                .formatted(slot),
            "SELECT pg_drop_replication_slot('%s')".formatted(slot));
      } catch (SQLException e) {
        TimeUnit.MILLISECONDS.sleep(20); // capture was faster
      }
    }
  }
}
