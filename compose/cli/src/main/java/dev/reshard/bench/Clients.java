package dev.reshard.bench;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/**
 * An application: four clients that update single rows of {@code orders}, at a steady rate whatever
 * the answers take; each begins as soon as it can when it is late. Stateless.
 */
final class Clients {
  private static final int CLIENTS = 4;

  /** Prime, so that neighbours in time are not neighbours in the table, and no row comes twice. */
  private static final long STRIDE = 1_000_003;

  private Clients() {}

  /** Is told of each commit, at once, by the client's thread. */
  interface Listener {
    void committed(long id, long number, long atNanos);
  }

  /**
   * What the clients felt.
   *
   * @param began by {@link System#nanoTime}
   * @param nanos of each transaction, from when it was due until its answer
   */
  record Run(long began, List<Long> nanos) {
    Run {
      nanos = List.copyOf(nanos);
    }
  }

  /**
   * Runs and waits for the end.
   *
   * @param tps of all together
   * @param rows of the table
   */
  static Run run(SandboxShard shard, int tps, long rows, Duration time, Listener listener)
      throws SQLException, InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    long began = System.nanoTime();
    try {
      List<Future<List<Long>>> running = new ArrayList<>();
      for (int client = 0; client < CLIENTS; client++) {
        int first = client;
        running.add(threads.submit(() -> client(shard, first, tps, rows, began, time, listener)));
      }
      List<Long> nanos = new ArrayList<>();
      for (Future<List<Long>> client : running) {
        nanos.addAll(client.get());
      }
      return new Run(began, nanos);
    } catch (ExecutionException e) {
      throw new SQLException("a client failed", e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }

  private static List<Long> client(
      SandboxShard shard,
      int first,
      int tps,
      long rows,
      long began,
      Duration time,
      Listener listener)
      throws SQLException {
    List<Long> nanos = new ArrayList<>();
    try (Connection session = shard.connect(SandboxRole.APP);
        PreparedStatement update =
            session.prepareStatement("UPDATE orders SET amount = ? WHERE id = ?")) {
      for (long number = first; ; number += CLIENTS) {
        long due = number * 1_000_000_000L / tps;
        if (due >= time.toNanos()) {
          return nanos;
        }
        long wait = began + due - System.nanoTime();
        if (wait > 0) {
          LockSupport.parkNanos(wait);
        }
        long id = 1 + number * STRIDE % rows;
        update.setLong(1, number);
        update.setLong(2, id);
        update.executeUpdate();
        long now = System.nanoTime();
        nanos.add(now - began - due);
        listener.committed(id, number, now);
      }
    }
  }
}
