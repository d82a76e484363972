package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.TableId;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
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
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A comparison keeps to the throttle of its source, and is safe while it waits. */
@Timeout(120)
class ThrottledComparisonIT {
  private static final Duration LONG = Duration.ofHours(1);

  /** Of {@code things}, those that move. */
  private static final int MOVING = 6000;

  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicInteger holds = new AtomicInteger();
  private final AtomicInteger begun = new AtomicInteger();
  private final List<TableResult> told = Collections.synchronizedList(new ArrayList<>());
  private final VerifyScene.IdleLane lane =
      new VerifyScene.IdleLane() {
        @Override
        public void hold() {
          super.hold();
          holds.incrementAndGet();
        }
      };
  private VerifyScene scene;

  @BeforeEach
  void fillBothSidesAlike() throws SQLException {
    scene = new VerifyScene();
    scene.shards.execute(
        "CREATE TABLE small (tenant bigint NOT NULL, id bigint NOT NULL, PRIMARY KEY (tenant, id))",
        "INSERT INTO small SELECT g % 8, g FROM generate_series(1, 80) g",
        """
        CREATE TABLE things (tenant bigint NOT NULL, id bigint NOT NULL, note text,
                             PRIMARY KEY (tenant, id))""",
        "INSERT INTO things SELECT g % 8, g, repeat('x', 1500) FROM generate_series(1, 8000) g");
  }

  @AfterEach
  void dropShards() throws SQLException {
    stop.set(true);
    scene.close();
  }

  @Test
  void itReadsNoMoreRowsASecondThanItsRate() throws Exception {
    long start = System.nanoTime();
    ComparisonResult result = compare(new Throttle(limits("2000 rows/s")), LONG, "things");
    assertTrue(result.isEqual(), result::toString);
    assertEquals(MOVING, result.rows());
    long ms = (System.nanoTime() - start) / 1_000_000;
    assertTrue(ms > 1000 * MOVING / 2000 - 200, "it took ms: " + ms);
  }

  @Test
  void aDifferenceIsFoundInRangesAsInOneGo() throws Exception {
    scene
        .b()
        .execute("DELETE FROM things WHERE id = 4001", "UPDATE things SET note = '' WHERE id = 2");
    scene.b().execute("VACUUM FULL things"); // its pages hold other rows than the source's
    for (String rate : List.of("100 chunks", "4GB/s")) {
      TableResult result = compare(new Throttle(limits(rate)), LONG, "things").tables().get(0);
      assertEquals(
          List.of(1L, 0L, 1L), List.of(result.missing(), result.extra(), result.changed()));
      assertEquals(MOVING, result.sourceRows());
    }
  }

  @Test
  void aNewRateCountsWhileItWaitsAndWhileItWaitsNoTableIsLocked() throws Exception {
    Throttle throttle = new Throttle(limits("1 rows/s"));
    CompletableFuture<ComparisonResult> comparison = async(() -> compare(throttle, LONG, "things"));
    awaitMoved(throttle);
    for (SandboxShard shard : List.of(scene.a(), scene.b())) {
      shard.execute(
          "DO 'BEGIN SET LOCAL lock_timeout = ''5s''; LOCK TABLE things IN ACCESS EXCLUSIVE MODE; END'");
    }
    assertFalse(comparison.isDone());
    assertEquals("at 1 rows/s: because", throttle.told().orElseThrow().toString());
    throttle.set(Limits.NONE);
    assertTrue(comparison.get(30, TimeUnit.SECONDS).isEqual());
  }

  @Test
  void whileItWaitsNoPartitionIsLockedEither() throws Exception {
    scene.shards.execute(
        """
        CREATE TABLE days (tenant bigint NOT NULL, day int NOT NULL, id bigint NOT NULL, note text,
                           PRIMARY KEY (tenant, day, id)) PARTITION BY RANGE (day)""",
        "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)",
        "INSERT INTO days SELECT g % 8, g % 20, g, repeat('x', 1500) FROM generate_series(1, 8000) g");
    Throttle throttle = new Throttle(limits("1 rows/s"));
    CompletableFuture<ComparisonResult> comparison = async(() -> compare(throttle, LONG, "days"));
    awaitMoved(throttle);
    for (SandboxShard shard : List.of(scene.a(), scene.b())) {
      shard.execute(
          "DO 'BEGIN SET LOCAL lock_timeout = ''5s''; LOCK TABLE days_1, days_2 IN ACCESS EXCLUSIVE MODE; END'");
    }
    assertFalse(comparison.isDone());
    throttle.set(Limits.NONE);
    assertTrue(comparison.get(30, TimeUnit.SECONDS).isEqual());
  }

  @Test
  void aLimitThatComesCutsOffWhatIsReadInOneGoAndItGoesOnInRanges() throws Exception {
    scene.shards.execute(
        "CREATE TYPE place AS (street text)",
        "CREATE TABLE homes (tenant bigint PRIMARY KEY, home place)",
        "INSERT INTO homes SELECT g, ROW('s' || g)::place FROM generate_series(1, 9) g",
        """
        CREATE FUNCTION read(place) RETURNS text LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN $1.street; END $$""",
        "CREATE CAST (place AS text) WITH FUNCTION read(place)");
    Throttle throttle = new Throttle(Limits.NONE);
    CompletableFuture<ComparisonResult> comparison;
    try (Connection app = scene.a().connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      statement.execute("SELECT pg_advisory_lock(7)");
      comparison = async(() -> compare(throttle, LONG, "homes"));
      String reads = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'";
      await(reads, "1");
      throttle.set(limits("0MB/s"));
      await(reads, "0");
    }
    assertFalse(comparison.isDone());
    throttle.set(limits("4GB/s"));
    assertTrue(comparison.get(30, TimeUnit.SECONDS).isEqual());
  }

  @Test
  void aTableThatIsRewrittenReplacedOrTruncatedWhileItWaitsIsNotCalledDifferent() throws Exception {
    String replace =
        "ALTER TABLE things RENAME TO old; CREATE TABLE things (LIKE old INCLUDING ALL)";
    for (String ddl : List.of("VACUUM FULL things", replace, "TRUNCATE things")) {
      Throttle throttle = new Throttle(limits("1 rows/s"));
      CompletableFuture<ComparisonResult> comparison =
          async(() -> compare(throttle, LONG, "things"));
      awaitMoved(throttle);
      scene.b().execute(ddl);
      throttle.set(limits("4GB/s"));
      ExecutionException refused =
          assertThrows(ExecutionException.class, () -> comparison.get(30, TimeUnit.SECONDS));
      assertInstanceOf(ComparisonException.class, refused.getCause());
      assertTrue(refused.getMessage().contains("public.things was truncated, rewritten"), ddl);
    }
  }

  @Test
  void aPauseLetsTheSnapshotsGoAndAfterItOnlyTheOtherTablesAreCompared() throws Exception {
    Throttle throttle = new Throttle(limits("4GB/s"));
    FrozenComparison paused =
        comparison(
            throttle,
            Duration.ofMillis(500),
            () -> {
              if (told.size() == 1) {
                throttle.set(limits("0MB/s"));
              }
            });
    CompletableFuture<ComparisonResult> comparison =
        async(
            () ->
                paused.compare(
                    scene.plan("small", "things"),
                    List.of(lane),
                    "verify_test",
                    begun::incrementAndGet));
    while (!throttle.isPaused()) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
    awaitNoSnapshot();
    assertEquals(1, holds.get());
    assertFalse(lane.held);
    scene.shards.execute("UPDATE things SET note = 'new' WHERE id % 100 = 0");
    throttle.set(Limits.NONE);

    ComparisonResult result = comparison.get(30, TimeUnit.SECONDS);
    assertTrue(result.isEqual(), result::toString);
    assertEquals(
        List.of("public.small", "public.things"),
        told.stream().map(table -> table.table().toString()).toList());
    assertEquals(2, result.tables().size());
    assertEquals(2, holds.get());
  }

  @Test
  void aTableThatDoesNotFitIntoOneSnapshotAtItsRateIsGivenUpByName() throws Exception {
    Throttle throttle = new Throttle(limits("20 rows/s"));
    HeldUpException gaveUp =
        assertThrows(
            HeldUpException.class,
            () -> compare(throttle, Duration.ofSeconds(1), "small", "things"));
    assertTrue(
        gaveUp.getMessage().contains("table public.things on shard a could not be compared within"),
        gaveUp::getMessage);
    assertTrue(gaveUp.getMessage().contains("at 20 rows/s: because"), gaveUp::getMessage);
    awaitNoSnapshot();
  }

  @Test
  void whilePausedItIsNotBegunAndEndsWhenItIsTo() throws Exception {
    Throttle throttle = new Throttle(limits("0MB/s"));
    CompletableFuture<ComparisonResult> comparison = async(() -> compare(throttle, LONG, "things"));
    while (!throttle.isBusy()) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
    TimeUnit.SECONDS.sleep(1); // in which it could begin
    assertEquals(0, holds.get());
    assertEquals(0, begun.get(), "what changes before the first position need not be noted");
    awaitNoSnapshot();
    stop.set(true);
    ExecutionException ended =
        assertThrows(ExecutionException.class, () -> comparison.get(10, TimeUnit.SECONDS));
    assertInstanceOf(HeldUpException.class, ended.getCause());
    assertTrue(ended.getMessage().contains("(paused: because)"), ended.getMessage());
  }

  @Test
  void withoutALimitATableIsReadInOneGoSaveWhereItsPaceIsFoundByTrying() throws Exception {
    for (boolean measured : List.of(false, true)) {
      Throttle throttle = new Throttle(Limits.NONE);
      ComparisonLimits limits =
          new ComparisonLimits(throttle, () -> throttle.movedBytes() > 0, LONG, measured);
      FrozenComparison untilSomeIsRead = new FrozenComparison(scene.sessions, table -> {}, limits);
      if (measured) {
        assertThrows(
            HeldUpException.class,
            () ->
                untilSomeIsRead.compare(
                    scene.plan("things"), List.of(lane), "verify_test", begun::incrementAndGet));
      } else {
        assertEquals(
            MOVING,
            untilSomeIsRead
                .compare(scene.plan("things"), List.of(lane), "verify_test", begun::incrementAndGet)
                .rows());
      }
    }
  }

  @Test
  void rowsThatChangedAreComparedAgainAtTheRate() throws Exception {
    RecentChanges changes = new RecentChanges();
    changes.collect(Set.of());
    for (int i = 0; i < 3000; i++) {
      long id = 8L * i + 1;
      if (id <= 8000) {
        changes.changed(
            new TableId("public", "things"),
            List.of("tenant", "id"),
            List.of(Long.toString(id % 8), Long.toString(id)));
      }
      changes.changed(
          new TableId("public", "things"),
          List.of("tenant", "id"),
          List.of("2", Long.toString(8L * i + 2)));
    }
    scene.b().execute("UPDATE things SET note = '' WHERE id = 9");
    long start = System.nanoTime();
    TableResult result =
        comparison(new Throttle(limits("1000 rows/s")), LONG, () -> {})
            .compareAgain(scene.plan("things"), List.of(lane), "verify_test", changes.take())
            .tables()
            .get(0);
    assertEquals(2000, result.sourceRows());
    assertEquals(1, result.changed());
    long ms = (System.nanoTime() - start) / 1_000_000;
    assertTrue(ms > 1800, "it took ms: " + ms);
  }

  private ComparisonResult compare(Throttle throttle, Duration snapshot, String... tables)
      throws SQLException, InterruptedException {
    return comparison(throttle, snapshot, () -> {})
        .compare(scene.plan(tables), List.of(lane), "verify_test", begun::incrementAndGet);
  }

  private FrozenComparison comparison(Throttle throttle, Duration snapshot, Runnable afterTable) {
    return new FrozenComparison(
        scene.sessions,
        table -> {
          told.add(table);
          afterTable.run();
        },
        new ComparisonLimits(throttle, stop::get, snapshot, false));
  }

  private static Limits limits(String rate) {
    return Limits.of(List.of(new Limit(Rate.parse(rate), "because")));
  }

  private static <T> CompletableFuture<T> async(Callable<T> call) {
    CompletableFuture<T> future = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                future.complete(call.call());
              } catch (Exception | Error e) {
                future.completeExceptionally(e);
              }
            },
            "comparison");
    thread.setDaemon(true);
    thread.start();
    return future;
  }

  private static void awaitMoved(Throttle throttle) throws InterruptedException {
    while (throttle.movedBytes() == 0) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
  }

  /** Nothing of ours keeps vacuum back, on either side. */
  private void awaitNoSnapshot() throws Exception {
    for (SandboxShard shard : List.of(scene.a(), scene.b())) {
      await(
          shard,
          """
          SELECT count(*) FROM pg_stat_activity
           WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
             AND application_name LIKE '%reshard%'""",
          "0");
    }
  }

  private void await(String sql, String wanted) throws Exception {
    await(scene.a(), sql, wanted);
  }

  private static void await(SandboxShard shard, String sql, String wanted) throws Exception {
    while (!shard.query(sql).equals(List.of(wanted))) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
  }
}
