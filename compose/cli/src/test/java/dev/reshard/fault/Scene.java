package dev.reshard.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.cli.ExitCode;
import dev.reshard.cli.Shop;
import dev.reshard.cli.WorkerProcess;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.Move;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxPostgres;
import dev.reshard.sandbox.SandboxShard;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * One migration from two shards to three in {@link Surroundings} that fail: its clients, its
 * worker, and what must be true of its rows. Confined to one thread.
 */
final class Scene implements AutoCloseable {
  static final Duration FAR = Duration.ofMillis(40);

  /** Within this it must have caught up, also on a machine that does much else. */
  private static final Duration CAUGHT_UP_WITHIN = Duration.ofMinutes(2);

  private static final long LOOK_MS = 50;

  private static final Set<String> SETTLED =
      Set.of(
          MigrationState.READY_FOR_CUTOVER.name(),
          MigrationState.COMPLETED.name(),
          MigrationState.ROLLED_BACK.name());

  private static final Map<String, String> TABLES =
      Map.of(
          "tenants",
          "id",
          "orders",
          "tenant_id",
          "order_items",
          "tenant_id",
          "events",
          "tenant_id");

  final Surroundings around;
  final Shop shop;
  private final String migration;
  private final List<Move> moves;
  private WorkerProcess worker;
  private boolean isStandby;
  private Optional<WorkerProcess> frozen = Optional.empty();
  private boolean frozenIsStandby;

  private Scene(Surroundings around, Shop shop, String migration) throws Exception {
    this.around = around;
    this.shop = shop;
    this.migration = migration;
    this.moves = shop.moves();
  }

  /**
   * Fills shards and starts clients and a worker.
   *
   * @param migration no other's on this broker
   * @param more lines of the migration file
   */
  static Scene open(Surroundings around, Path folder, String migration, String... more)
      throws Exception {
    Shop shop = Shop.open(folder, migration, 2, 3, around);
    try {
      shop.writeFile(more);
      Scene scene = new Scene(around, shop, migration);
      scene.worker = WorkerProcess.start(shop.file);
      return scene;
    } catch (Exception | Error e) {
      shop.close();
      throw e;
    }
  }

  SandboxPostgres server(String shard) {
    return shop.shards.get(shard).server();
  }

  void startWorker() throws IOException {
    worker = WorkerProcess.start(shop.file, "--standby"); // the other one's lease has not run out
    isStandby = true;
  }

  void killWorker() throws InterruptedException {
    worker.kill();
  }

  /** Its lease runs out, and a standby works. */
  void freezeWorker() throws IOException, InterruptedException {
    worker.signal("STOP");
    frozen = Optional.of(worker);
    frozenIsStandby = isStandby;
    startWorker();
    worker.awaitSaid("working on");
  }

  /** It does not know that its lease is lost; then it stands by, or ends. */
  void thawWorker() throws IOException, InterruptedException {
    try (WorkerProcess thawed = frozen.orElseThrow()) {
      frozen = Optional.empty();
      thawed.signal("CONT");
      if (frozenIsStandby) {
        thawed.awaitSaid("it stands by again");
      } else {
        assertEquals(ExitCode.REFUSED.code(), thawed.awaitEnd());
      }
    }
  }

  /** Whether the migration has ended, and the worker is about to. */
  boolean hasEnded() throws SQLException {
    return shop.state().equals(MigrationState.CLEANED.name());
  }

  /** The worker ends by itself, in good order. */
  void awaitEnd() throws Exception {
    long deadline = System.nanoTime() + CAUGHT_UP_WITHIN.toNanos();
    while (!hasEnded()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not ended: " + shop.run("status"));
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MS); // the next look
    }
    assertEquals(ExitCode.DONE.code(), worker.awaitEnd());
  }

  void terminateWalsenders() throws SQLException {
    for (SandboxShard shard : shop.shards.all()) {
      shard.executeAsSuperuser("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    }
  }

  void forbidWrites() throws SQLException {
    changeRole("SET default_transaction_read_only = on");
  }

  void allowWrites() throws SQLException {
    shop.shards
        .get("c")
        .executeAsSuperuser("ALTER ROLE reshard RESET default_transaction_read_only");
  }

  void forbidLogins() throws SQLException {
    changeRole("CONNECTION LIMIT 0");
  }

  void allowLogins() throws SQLException {
    shop.shards.get("c").executeAsSuperuser("ALTER ROLE reshard CONNECTION LIMIT -1");
  }

  private void changeRole(String change) throws SQLException {
    shop.shards
        .get("c")
        .executeAsSuperuser(
            "ALTER ROLE reshard " + change,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reshard'");
  }

  /**
   * By itself the migration must go on until all that was written is on both sides; then they must
   * be equal, and every acknowledged write be there once, at its owner.
   */
  void requireRecovered() throws Exception {
    shop.clients.stop();
    awaitCaughtUp();
    requireEqualSides();
    shop.requireOwnersRows();
    shop.startClients();
  }

  /** Nobody may have had to start the worker anew. */
  void awaitState(MigrationState wanted) throws Exception {
    long deadline = System.nanoTime() + CAUGHT_UP_WITHIN.toNanos();
    for (String now = shop.state(); !now.equals(wanted.name()); now = shop.state()) {
      lookAfter(deadline, "it is " + now);
    }
  }

  /** With all that is written now, whether clients go on or not. */
  void awaitCaughtUp() throws Exception {
    long deadline = System.nanoTime() + CAUGHT_UP_WITHIN.toNanos();
    for (String now = shop.state(); !SETTLED.contains(now); now = shop.state()) {
      lookAfter(deadline, "it is " + now);
    }
    Map<String, String> written = new TreeMap<>();
    for (SandboxShard shard : shop.shards.all()) {
      written.put(shard.name(), shard.query("SELECT pg_current_wal_insert_lsn()").get(0));
    }
    for (Move move : moves) {
      awaitLane(deadline, move, written.get(move.source().name()));
      awaitLane(deadline, move.reversed(), written.get(move.destination().name()));
    }
  }

  private void awaitLane(long deadline, Move lane, String written) throws Exception {
    String passed =
        "SELECT 1 FROM reshard.lane WHERE migration = '%s' AND source = '%s' AND applied >= '%s'"
            .formatted(migration, lane.source(), written);
    while (shard(lane.destination().name()).query(passed).isEmpty()) {
      lookAfter(
          deadline,
          "lane %s > %s is not at %s".formatted(lane.source(), lane.destination(), written));
    }
  }

  private SandboxShard shard(String name) {
    return shop.shards.get(name);
  }

  private void lookAfter(long deadline, String what) throws Exception {
    Optional<String> farewell = worker.farewell();
    if (farewell.isPresent()) {
      throw new AssertionError("the worker has ended by itself: " + farewell.get());
    }
    if (System.nanoTime() > deadline) {
      throw new AssertionError(
          "not caught up within %s: %s%n%s".formatted(CAUGHT_UP_WITHIN, what, shop.run("status")));
    }
    TimeUnit.MILLISECONDS.sleep(LOOK_MS); // the next look
  }

  private void requireEqualSides() throws SQLException {
    for (Move move : moves) {
      for (Map.Entry<String, String> table : TABLES.entrySet()) {
        String moving = Shop.BUCKETS.sqlIn(table.getValue(), move.buckets());
        RowComparer.withoutKey()
            .compare(
                RowSelection.of(shard(move.source().name()), table.getKey()).where(moving),
                RowSelection.of(shard(move.destination().name()), table.getKey()).where(moving))
            .requireEqual();
      }
    }
  }

  @Override
  public void close() throws Exception {
    try {
      frozen.ifPresent(WorkerProcess::close);
      worker.close();
    } finally {
      shop.close();
    }
  }
}
