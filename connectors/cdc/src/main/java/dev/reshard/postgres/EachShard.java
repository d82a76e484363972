package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does the same on several shards at once, as each has a server of its own. Stateless. */
public final class EachShard {
  private static final Logger log = LoggerFactory.getLogger(EachShard.class);

  /** What is done on one shard, in a thread of its own. */
  @FunctionalInterface
  public interface Work {
    void on(ShardId shard) throws SQLException, InterruptedException;
  }

  private EachShard() {}

  /**
   * Returns once all have ended, also those after one that failed. Interrupted, it interrupts all.
   *
   * @throws SQLException what the first shard in order failed with; what others did is suppressed
   */
  public static void run(String name, Collection<ShardId> shards, Work work)
      throws SQLException, InterruptedException {
    if (shards.isEmpty()) {
      return;
    }
    List<Callable<Void>> all = new ArrayList<>();
    for (ShardId shard : shards) {
      all.add(
          () -> {
            Thread.currentThread().setName(name + " " + shard);
            try {
              work.on(shard);
            } catch (SQLException | RuntimeException e) {
              log.warn("{} {} has failed; the others go on to their end", name, shard, e);
              throw e;
            }
            return null;
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(shards.size());
    try {
      throwFirst(threads.invokeAll(all));
    } finally {
      threads.shutdownNow();
      threads.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
    }
  }

  private static void throwFirst(List<Future<Void>> ended)
      throws SQLException, InterruptedException {
    Throwable first = null;
    for (Future<Void> one : ended) {
      try {
        one.get();
      } catch (ExecutionException e) {
        if (first == null) {
          first = e.getCause();
        } else {
          first.addSuppressed(e.getCause());
        }
      }
    }
    if (first instanceof SQLException refused) {
      throw refused;
    }
    if (first instanceof InterruptedException interrupted) {
      throw interrupted;
    }
    if (first instanceof RuntimeException wrong) {
      throw wrong;
    }
    if (first instanceof Error error) {
      throw error;
    }
  }
}
