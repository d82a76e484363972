package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.guard.CommitOrder.Entry;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.postgres.Marker;
import dev.reshard.sandbox.SandboxRole;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Many fences and seals among concurrent writers, judged by the order of commits in the WAL. */
class FenceUnderLoadIT {
  private static final Logger log = LoggerFactory.getLogger(FenceUnderLoadIT.class);
  private static final BucketSet MOVING = BucketSet.of(0, 1, 2);
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final int FENCES = 60;
  private static final int SEALS = 30;
  private static final int MOST_ROUNDS = 400;

  /** HAZARDS F11, F14. */
  @Test
  void noWriteOfAFencedBucketCommitsAfterTheTokenAndOtherBucketsGoOn() throws SQLException {
    try (GuardedShard a = withReplicaIdentity();
        CommitOrder order = CommitOrder.from(a.shard)) {
      Random random = new Random(17);
      try (Load load = Load.start(a, 17)) {
        for (int attempt = 1; attempt <= FENCES; attempt++) {
          a.guard.fence(a.ours, attempt, LONG);
          assertEquals(List.of(), a.guard.waitForWriters(a.ours, LONG));
          Guard.emitToken(a.ours, Integer.toString(attempt));
          Load.sleep(random.nextInt(20));
          CommitOrder.mark(a.ours, "lift");
          assertTrue(a.guard.lift(a.ours, attempt));
          Load.sleep(random.nextInt(10));
        }
        log.info("{} commits, {} refusals", load.commits(), load.refusals());
      }
      boolean fenced = false;
      int tokens = 0;
      int othersWhileFenced = 0;
      for (Entry entry : order.read()) {
        if (entry.prefix().equals(Marker.FENCE)) {
          fenced = true;
          tokens++;
        } else if (entry.isMessage()) {
          fenced = false;
        } else if (fenced) {
          assertTrue(!entry.buckets().intersects(MOVING), entry::content);
          othersWhileFenced++;
        }
      }
      assertEquals(FENCES, tokens);
      assertTrue(othersWhileFenced > 0, "no write of another bucket came through");
    }
  }

  /**
   * HAZARDS F16: fences that run out at about the moment of the seal, under a clock that steps by
   * 15 ms. The guard's functions get that clock by putting it into their text, in this test only.
   */
  @Test
  void noSealIsGrantedOverAWriteThatGotThroughWhateverTheClockDoes() throws SQLException {
    try (GuardedShard a = withReplicaIdentity();
        CommitOrder order = CommitOrder.from(a.shard);
        SteppingClock clock = new SteppingClock(a)) {
      Random random = new Random(4711);
      Set<String> granted = new HashSet<>();
      int rounds = 0;
      long attempt = 0;
      try (Load load = Load.start(a, 4711)) {
        while (granted.size() < SEALS && rounds < MOST_ROUNDS) {
          rounds++;
          attempt++;
          a.guard.fence(a.ours, attempt, Duration.ofMillis(random.nextInt(40)));
          if (a.guard.waitForWriters(a.ours, LONG).isEmpty()) {
            Guard.emitToken(a.ours, Long.toString(attempt));
          }
          Load.sleep(random.nextInt(15));
          if (a.guard.seal(a.ours, attempt, attempt + 1)) {
            granted.add(Long.toString(attempt));
            Load.sleep(random.nextInt(10));
            CommitOrder.mark(a.ours, "open");
            attempt++;
            a.guard.open(a.ours, attempt, attempt + 1);
          } else {
            CommitOrder.mark(a.ours, "lift");
            a.guard.lift(a.ours, attempt);
          }
          Load.sleep(random.nextInt(5));
        }
        log.info("{} of {} seals granted, {} clock steps", granted.size(), rounds, clock.steps());
        assertTrue(load.commits() > 0);
      }
      assertEquals(SEALS, granted.size(), "too few seals to tell anything");
      boolean sealed = false;
      for (Entry entry : order.read()) {
        if (entry.prefix().equals(Marker.FENCE)) {
          sealed = granted.contains(entry.content());
        } else if (entry.isMessage()) {
          sealed = false;
        } else if (sealed) {
          assertTrue(!entry.buckets().intersects(MOVING), entry::content);
        }
      }
    }
  }

  private static GuardedShard withReplicaIdentity() throws SQLException {
    GuardedShard a = GuardedShard.withOrders();
    a.shard.execute("ALTER TABLE orders REPLICA IDENTITY FULL");
    return a;
  }

  /** Steps the clock that a shard's guard reads, to and fro. */
  private static final class SteppingClock implements AutoCloseable {
    private final Connection connection;
    private final Thread thread;
    private volatile boolean stopped;
    private final AtomicInteger steps = new AtomicInteger();

    SteppingClock(GuardedShard a) throws SQLException {
      a.shard.executeAsSuperuser(
          "CREATE SEQUENCE public.skew MINVALUE -1000 START 1",
          "GRANT SELECT ON public.skew TO PUBLIC",
          "SELECT setval('public.skew', 0)");
      List<String> functions = new ArrayList<>();
      for (String function :
          a.shard.query(
              """
              SELECT pg_get_functiondef(p.oid) FROM pg_proc p
               WHERE p.pronamespace = 'reshard'::regnamespace AND p.prokind = 'f'
                 AND p.proname ~ '^guard_([0-9]+|fence)$'""")) {
        functions.add(
            function.replace(
                "pg_catalog.clock_timestamp()",
                "(pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs =>"
                    + " pg_catalog.pg_sequence_last_value('public.skew'::pg_catalog.regclass)"
                    + " OPERATOR(pg_catalog./) 1000.0))"));
      }
      assertEquals(2, functions.stream().filter(f -> f.contains("public.skew")).count());
      a.shard.executeAsSuperuser(functions.toArray(String[]::new));
      connection = a.shard.connect(SandboxRole.SUPERUSER);
      thread = new Thread(this::run, "clock");
      thread.start();
    }

    private void run() {
      Random random = new Random(99);
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET synchronous_commit = off");
        while (!stopped) {
          statement.execute("SELECT setval('public.skew', %d)".formatted(random.nextInt(31) - 15));
          steps.incrementAndGet();
          Load.sleep(1 + random.nextInt(4));
        }
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    int steps() {
      return steps.get();
    }

    @Override
    public void close() throws SQLException {
      stopped = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      connection.close();
    }
  }
}
