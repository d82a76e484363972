package dev.reshard.demo;

import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Does the same on all shards at once. Stateless. */
final class OnEveryShard {
  private OnEveryShard() {}

  interface Work<T> {
    T run(SandboxShard shard) throws SQLException;
  }

  /**
   * Waits until all are done.
   *
   * @return the results in the order of the shards
   * @throws SQLException the first failure
   */
  static <T> List<T> run(List<SandboxShard> shards, Work<T> work)
      throws SQLException, InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(shards.size());
    try {
      List<Future<T>> running = new ArrayList<>();
      shards.forEach(shard -> running.add(threads.submit(() -> work.run(shard))));
      List<T> results = new ArrayList<>();
      for (Future<T> future : running) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }
}
