package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Applications that write orders of all of shard a's buckets until closed, each in its own way:
 * READ COMMITTED, REPEATABLE READ, savepoints, two-phase commit, changes of the shard key.
 */
final class Load implements AutoCloseable {
  /** The guard, serialization failures and deadlocks: what an application has to repeat. */
  private static final Set<String> EXPECTED = Set.of(Guard.REFUSED_WRITE, "40001", "40P01");

  private final GuardedShard shard;
  private final List<Thread> threads = new ArrayList<>();
  private final ConcurrentLinkedQueue<SQLException> unexpected = new ConcurrentLinkedQueue<>();
  private final AtomicInteger commits = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private volatile boolean stopped;

  private interface Style {
    void write(Connection connection, Random random, String statement) throws SQLException;
  }

  private Load(GuardedShard shard) {
    this.shard = shard;
  }

  static Load start(GuardedShard shard, long seed) throws SQLException {
    Load load = new Load(shard);
    load.add(seed, (connection, random, sql) -> execute(connection, sql));
    load.add(
        seed + 1,
        (connection, random, sql) ->
            execute(
                connection,
                "BEGIN ISOLATION LEVEL REPEATABLE READ",
                "SELECT count(*) FROM orders WHERE customer = 5",
                sql,
                "COMMIT"));
    load.add(
        seed + 2,
        (connection, random, sql) ->
            execute(
                connection,
                "BEGIN",
                "SAVEPOINT s",
                sql,
                random.nextBoolean() ? "RELEASE s" : "ROLLBACK TO s",
                "SAVEPOINT t",
                sql,
                "COMMIT"));
    load.add(
        seed + 3,
        (connection, random, sql) -> {
          String gid = "'%s %d'".formatted(shard.shard.database(), random.nextInt());
          execute(connection, "BEGIN", sql, "PREPARE TRANSACTION " + gid);
          sleep(random.nextInt(10));
          execute(
              connection, (random.nextInt(5) == 0 ? "ROLLBACK" : "COMMIT") + " PREPARED " + gid);
        });
    return load;
  }

  int commits() {
    return commits.get();
  }

  int refusals() {
    return refusals.get();
  }

  private void add(long seed, Style style) throws SQLException {
    Connection connection = shard.app();
    Thread thread = new Thread(() -> run(connection, new Random(seed), style), "load-" + seed);
    threads.add(thread);
    thread.start();
  }

  private void run(Connection connection, Random random, Style style) {
    try (connection) {
      while (!stopped) {
        try {
          style.write(connection, random, statement(random));
          commits.incrementAndGet();
        } catch (SQLException e) {
          if (!EXPECTED.contains(e.getSQLState())) {
            unexpected.add(e);
            return;
          }
          refusals.incrementAndGet();
          execute(connection, "ROLLBACK");
        }
        sleep(random.nextInt(3));
      }
    } catch (SQLException e) {
      unexpected.add(e);
    }
  }

  private static String statement(Random random) {
    int bucket = random.nextInt(8);
    long id = random.nextInt(10) * 16L + bucket;
    return random.nextInt(10) == 0
        ? "UPDATE orders SET customer = %d WHERE id = %d".formatted(random.nextInt(8), id)
        : "UPDATE orders SET note = '%d' WHERE id = %d".formatted(random.nextInt(), id);
  }

  static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the writers; fails with the first error that no application has to expect. */
  @Override
  public void close() throws SQLException {
    stopped = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    SQLException first = unexpected.poll();
    if (first != null) {
      throw first;
    }
  }
}
