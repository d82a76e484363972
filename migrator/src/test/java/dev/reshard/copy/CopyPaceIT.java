package dev.reshard.copy;

import static dev.reshard.copy.CopyScene.A;
import static dev.reshard.copy.CopyScene.B;
import static dev.reshard.copy.CopyScene.BUCKETS;
import static dev.reshard.copy.CopyScene.table;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.CopyWriter.Batches;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.TcpProxy;
import dev.reshard.spec.Rate;
import dev.reshard.throttle.Limit;
import dev.reshard.throttle.Limits;
import dev.reshard.throttle.Throttle;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How fast, and in which order. */
@Timeout(120)
class CopyPaceIT {
  private static final Keyspace.ShardedTable ORDERS = table("orders", "tenant");
  private static final Batches BATCHES = new Batches(64 << 10, 1);
  private static final Keyspace.ShardedTable ACCOUNTS = table("accounts", "tenant");
  private static final String DDL =
      "CREATE TABLE %s (tenant bigint NOT NULL, id bigint NOT NULL, note text, PRIMARY KEY (tenant, id))";

  /** About 4 MB, of which all moves. */
  private static final String ROWS =
      "INSERT INTO %s SELECT g %% 97, g, repeat('x', 1000) FROM generate_series(1, 8000) g WHERE "
          + BUCKETS.sqlIn("(g % 97)::bigint", BucketSet.range(0, 8)).replace("%", "%%");

  private static final String REFETCH = "SELECT count(*) FROM reshard.refetch";

  private CopyScene scene;

  @BeforeEach
  void startShards() throws SQLException {
    scene = new CopyScene();
    scene.shards.execute(DDL.formatted("orders"), DDL.formatted("accounts"));
    scene.shard(A).execute(ROWS.formatted("orders"));
  }

  @AfterEach
  void dropShards() throws SQLException {
    scene.close();
  }

  @Test
  void aThrottledCopyTakesAsLongAsItsRateSaysAndANewRateCountsAtOnce() throws Exception {
    Throttle throttle = new Throttle(limits("500kB/s"));
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (AnchorHolder anchor = scene.anchor()) {
      ShardCopier copier = copier(new CopyOptions(3, 64), progress -> {}, throttle, () -> false);
      CompletableFuture<CopyResult> copy = async(copier, plan, anchor);
      awaitMoved(throttle, 1);
      long start = System.nanoTime();
      long before = throttle.movedBytes();
      TimeUnit.SECONDS.sleep(3); // over which the rate is measured
      double rate = (throttle.movedBytes() - before) * 1e9 / (System.nanoTime() - start);
      assertTrue(rate < 1.1 * 500 * 1024, rate + " bytes/s"); // a busy machine may be slower
      assertEquals("at 500 kB/s: because", throttle.told().orElseThrow().toString());

      throttle.set(limits("0MB/s"));
      TimeUnit.MILLISECONDS.sleep(200); // a chunk of half a MB is under way, or none
      assertFalse(copy.isDone());

      throttle.set(Limits.NONE);
      assertTrue(copy.get(20, TimeUnit.SECONDS).complete());
    }
    assertTrue(scene.compare(ORDERS).equal());
  }

  @Test
  void aStoppedCopyDoesNotWaitForItsRate() throws Exception {
    Throttle throttle = new Throttle(limits("20kB/s"));
    AtomicBoolean stop = new AtomicBoolean();
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (AnchorHolder anchor = scene.anchor()) {
      ShardCopier copier = copier(new CopyOptions(2, 64), progress -> {}, throttle, stop::get);
      CompletableFuture<CopyResult> copy = async(copier, plan, anchor);
      awaitMoved(throttle, 1);
      stop.set(true);
      assertFalse(copy.get(10, TimeUnit.SECONDS).complete());
    }
  }

  @Test
  void rowsThatAreFetchedByTheirKeysPayTheThrottleAndEndWithinASecondOfAStop() throws Exception {
    CopyOptions options = new CopyOptions(1, 64);
    AtomicInteger asked = new AtomicInteger();
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (AnchorHolder anchor = scene.anchor()) {
      ShardCopier one =
          copier(
              options,
              p -> {},
              new Throttle(Limits.NONE),
              () -> isCopying() && asked.incrementAndGet() > 16);
      assertFalse(one.copy(plan, anchor).complete());
    }
    scene.destinations().again(plan, options.chunkBlocks());
    scene
        .shard(B)
        .executeAsSuperuser(
            """
            INSERT INTO reshard.refetch SELECT 'shop', 'a', 'public', 'orders', '{tenant,id}',
                   ARRAY[tenant::text, id::text] FROM orders""");
    long keys = Long.parseLong(scene.shard(B).query(REFETCH).get(0));
    Throttle throttle = new Throttle(limits("200 rows/s"));
    AtomicBoolean stop = new AtomicBoolean();
    try (AnchorHolder anchor = scene.anchor()) {
      CompletableFuture<CopyResult> copy =
          async(copier(options, p -> {}, throttle, stop::get), plan, anchor);
      awaitMoved(throttle, 1);
      TimeUnit.SECONDS.sleep(2); // over which the rate is measured
      long left = Long.parseLong(scene.shard(B).query(REFETCH).get(0));
      stop.set(true);
      assertFalse(copy.get(1, TimeUnit.SECONDS).complete());
      assertTrue(left < keys && keys - left < 1_000, "of %d are left %d".formatted(keys, left));
      assertTrue(keys > 1_000, "only %d keys".formatted(keys));
    }
    scene.destinations().again(plan, options.chunkBlocks());
    try (AnchorHolder anchor = scene.anchor()) {
      assertTrue(
          copier(options, p -> {}, new Throttle(Limits.NONE), () -> false)
              .copy(plan, anchor)
              .complete());
    }
    assertEquals("0", scene.shard(B).query(REFETCH).get(0));
    assertTrue(scene.compare(ORDERS).equal());
  }

  private static boolean isCopying() {
    return Thread.currentThread().getName().startsWith("copy-");
  }

  @Test
  void tablesThatAreNamedFirstAreCopiedFirst() throws Exception {
    scene.shard(A).execute(ROWS.formatted("accounts"));
    List<TableId> seen = Collections.synchronizedList(new ArrayList<>());
    CopyPlan plan = scene.plan(ORDERS, ACCOUNTS);
    scene.destinations().prepare(plan);
    CopyOptions options =
        new CopyOptions(
            1, 64, BATCHES, Long.MAX_VALUE, List.of(ACCOUNTS.id()), Duration.ofMinutes(1));
    try (AnchorHolder anchor = scene.anchor()) {
      ShardCopier copier =
          copier(options, p -> seen.add(p.table()), new Throttle(Limits.NONE), () -> false);
      assertTrue(copier.copy(plan, anchor).complete());
    }
    assertEquals(ORDERS.id(), seen.get(seen.size() - 1));
    assertTrue(seen.lastIndexOf(ACCOUNTS.id()) < seen.indexOf(ORDERS.id()), seen::toString);
    assertTrue(scene.compare(ACCOUNTS).equal());
  }

  @Test
  void aChunkThatStandsStillIsTriedAgainAndThenNamed() throws Exception {
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    CopyOptions options =
        new CopyOptions(1, 4096, BATCHES, Long.MAX_VALUE, List.of(), Duration.ofSeconds(1));
    ShardCopier copier = copier(options, p -> {}, new Throttle(Limits.NONE), () -> false);
    try (AnchorHolder anchor = scene.anchor();
        Connection holder = scene.shard(B).connect(SandboxRole.SUPERUSER);
        Statement statement = holder.createStatement()) {
      statement.execute("BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE");
      CopyException failure = assertThrows(CopyException.class, () -> copier.copy(plan, anchor));
      assertEquals(CopyException.Reason.SERVER_FAILED, failure.reason());
      assertTrue(
          failure
              .getMessage()
              .startsWith("Copying public.orders pages 0 to the end stood still for 1 s, 3 times."),
          failure::getMessage);
      CompletableFuture<CopyResult> copy = async(copier, plan, anchor);
      TimeUnit.MILLISECONDS.sleep(1_500); // once more it stands still, is cut off and tried again
      statement.execute("ROLLBACK");
      assertTrue(copy.get(20, TimeUnit.SECONDS).complete());
    }
    assertTrue(scene.compare(ORDERS).equal());
  }

  @Test
  void aChunkWhoseSessionGetsNoAnswerIsCutOffAndCopiedByAnotherOne() throws Exception {
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    CopyOptions options =
        new CopyOptions(1, 64, BATCHES, Long.MAX_VALUE, List.of(), Duration.ofSeconds(1));
    AtomicInteger chunks = new AtomicInteger();
    try (TcpProxy proxy = TcpProxy.to(scene.shard(B).server());
        AnchorHolder anchor = scene.anchor()) {
      ShardCopier copier =
          new ShardCopier(
              scene.sessionsThrough(proxy, B),
              scene.worker,
              options,
              progress -> {
                if (chunks.incrementAndGet() == 3) {
                  proxy.forget(); // new connections are forwarded
                }
              },
              () -> false);
      long start = System.nanoTime();
      assertTrue(copier.copy(plan, anchor).complete());
      assertTrue(System.nanoTime() - start < 20_000_000_000L);
    }
    assertTrue(chunks.get() > 3, chunks::toString);
    assertTrue(scene.compare(ORDERS).equal());
  }

  private ShardCopier copier(
      CopyOptions options, CopyListener listener, Throttle throttle, BooleanSupplier stop) {
    return new ShardCopier(scene.sessions, scene.worker, options, listener, throttle, stop);
  }

  private static CompletableFuture<CopyResult> async(
      ShardCopier copier, CopyPlan plan, AnchorHolder anchor) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return copier.copy(plan, anchor);
          } catch (SQLException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void awaitMoved(Throttle throttle, long bytes) throws InterruptedException {
    while (throttle.movedBytes() < bytes) {
      TimeUnit.MILLISECONDS.sleep(5); // between two looks
    }
  }

  private static Limits limits(String rate) {
    return Limits.of(List.of(new Limit(Rate.parse(rate), "because")));
  }
}
