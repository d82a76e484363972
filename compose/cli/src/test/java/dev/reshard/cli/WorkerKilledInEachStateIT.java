package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One migration whose worker is killed in every state; each time the next one, which stood by, goes
 * on. (Between the steps of a cutover: {@link WorkerKilledIT}.)
 */
@Timeout(400)
@Tag("matrix")
class WorkerKilledInEachStateIT {
  private static final long SOME = 30;

  @TempDir private Path folder;
  private Shop shop;
  private WorkerProcess worker;
  private WorkerProcess next;

  @Test
  void theNextWorkerGoesOnAndNothingIsLostNorLeft() throws Exception {
    try (Shop opened = Shop.open(folder, "killed", 2, 3)) {
      shop = opened;
      shop.writeFile("budget: { pause: 5s }", "gates: { lag: 0s }"); // never near enough
      // arming waits politely for a writer that does not end
      try (Connection writer = shop.shards.get("a").connect(SandboxRole.SUPERUSER)) {
        execute(writer, "BEGIN; LOCK TABLE tenants IN ROW EXCLUSIVE MODE");
        worker = WorkerProcess.start(shop.file);
        shop.awaitState(MigrationState.PREPARING);
        next = WorkerProcess.start(shop.file, "--standby");
        kill(MigrationState.PREPARING);
      }
      try {
        // a chunk waits for a lock at the destination
        killedWhile("c", "LOCK TABLE plans IN SHARE MODE", MigrationState.COPYING);
        shop.awaitState(MigrationState.CATCHING_UP);
        shop.awaitTransactions(SOME);
        shop.writeFile("budget: { pause: 5s }"); // with gates that can open, for the one after next
        kill(MigrationState.CATCHING_UP);
        freeze(MigrationState.CATCHING_UP);
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        kill(MigrationState.READY_FOR_CUTOVER);
        shop.succeedOnceAlive("verify");
        shop.succeedOnceGatesOpen("cutover");
        kill(MigrationState.COMPLETED);
        shop.awaitTransactions(SOME);
        shop.succeedOnceGatesOpen("rollback");
        kill(MigrationState.ROLLED_BACK);
        shop.awaitTransactions(SOME);
        shop.succeedOnceGatesOpen("cutover");
        complete();
      } finally {
        next.close();
        worker.close();
      }
      shop.requireClean();
    }
  }

  /** The purge waits for somebody who holds rows that have moved. */
  private void complete() throws Exception {
    SandboxShard source = shop.shards.get("a");
    CompletableFuture<Shop.Answer> asked;
    try (Connection holder = source.connect(SandboxRole.SUPERUSER)) {
      execute(holder, "BEGIN; SELECT FROM orders WHERE tenant_id % 32 = 15 FOR UPDATE");
      asked = shop.ask("complete");
      shop.awaitState(MigrationState.CLEANING_UP);
      shop.awaitTransactions(SOME);
      kill(MigrationState.CLEANING_UP);
    }
    assertEquals(ExitCode.DONE.code(), worker.awaitEnd());
    assertEquals(ExitCode.DONE.code(), asked.get(60, TimeUnit.SECONDS).exitCode());
  }

  private void killedWhile(String shard, String lock, MigrationState state) throws Exception {
    try (Connection holder = shop.shards.get(shard).connect(SandboxRole.SUPERUSER)) {
      execute(holder, "BEGIN; " + lock);
      shop.awaitState(state);
      TimeUnit.SECONDS.sleep(1); // somewhere in it
      kill(state);
    }
  }

  /** It wakes up when another one works, and stands by again. */
  private void freeze(MigrationState state) throws Exception {
    assertEquals(state.name(), shop.state());
    try (WorkerProcess frozen = worker) {
      frozen.signal("STOP");
      succeedWorker();
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      frozen.signal("CONT");
      frozen.awaitSaid("it stands by again");
    }
    next = WorkerProcess.start(shop.file, "--standby");
  }

  private void kill(MigrationState state) throws Exception {
    assertEquals(state.name(), shop.state());
    worker.kill();
    succeedWorker();
    next = WorkerProcess.start(shop.file, "--standby");
  }

  /** No third one may come before it: it could take the lease first. */
  private void succeedWorker() throws Exception {
    next.awaitSaid("working on");
    worker = next;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
