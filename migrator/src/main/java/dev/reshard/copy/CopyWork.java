package dev.reshard.copy;

import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.SqlState;
import dev.reshard.throttle.Throttle;
import dev.reshard.throttle.Turn;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chunks, and rows that have to be fetched by their keys, to be copied by several threads, each
 * with sessions of its own. The first failure ends all of them after the chunk they are at. Used
 * once; thread-safe.
 */
final class CopyWork {
  private static final Logger log = LoggerFactory.getLogger(CopyWork.class);

  /** Between two tries of a chunk while a server fails; longer each time. */
  private static final Duration PAUSE = Duration.ofMillis(500);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** A chunk that stood still so often is not tried again by itself. */
  private static final int STALLS = 3;

  /** Between two looks for chunks that stand still, in milliseconds. */
  private static final long LOOK_MS = 500;

  /** What is copied in one go, or in several turns; its text is for messages. */
  interface Item {
    /** How many pages of 8 KiB a turn of it reads. */
    long blocks();

    /**
     * Copies it, or a part that stays.
     *
     * @return false if there may be more of it, for which the throttle is asked again
     */
    boolean copy(ChunkCopier copier, Turn turn) throws SQLException;
  }

  /** Opens a worker's sessions. */
  @FunctionalInterface
  interface CopierFactory {
    ChunkCopier open() throws SQLException;
  }

  /** A chunk that is being copied. */
  private record UnderWay(ChunkCopier copier, Turn turn) {}

  private final Deque<Item> queue;
  private final CopierFactory copiers;
  private final Throttle throttle;
  private final Duration timeout;
  private final BooleanSupplier stop;
  private final Set<UnderWay> underWay = ConcurrentHashMap.newKeySet();
  private Throwable failure;
  private boolean stopped;

  CopyWork(
      Collection<? extends Item> items,
      CopierFactory copiers,
      Throttle throttle,
      Duration timeout,
      BooleanSupplier stop) {
    this.queue = new ArrayDeque<>(items);
    this.copiers = copiers;
    this.throttle = throttle;
    this.timeout = timeout;
    this.stop = stop;
  }

  /**
   * Copies all chunks.
   *
   * @return false if it was stopped before the last one
   */
  boolean run(int workers) throws SQLException, InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < workers; i++) {
      Thread thread = new Thread(this::work, "copy-" + i);
      thread.start();
      threads.add(thread);
    }
    try {
      for (Thread thread : threads) {
        while (thread.isAlive()) {
          thread.join(LOOK_MS);
          cutOffWhatStandsStill();
        }
      }
    } finally {
      halt();
      for (Thread thread : threads) {
        joinUninterruptibly(thread);
      }
    }
    return finished();
  }

  private void cutOffWhatStandsStill() {
    underWay.stream()
        .filter(chunk -> chunk.turn().stalls(timeout))
        .forEach(c -> c.copier().abort());
  }

  private void work() {
    ChunkCopier copier = null;
    try {
      for (Item item = next(); item != null; item = next()) {
        copier = copy(copier, item);
      }
    } catch (SQLException | InterruptedException | RuntimeException | Error e) {
      fail(e);
    } finally {
      close(copier);
    }
  }

  /**
   * Copies one item, with new sessions after each failure that may pass, for as long as it takes.
   *
   * @param first null if there are no sessions yet
   * @return null if it was ended before
   */
  private ChunkCopier copy(ChunkCopier first, Item item) throws SQLException, InterruptedException {
    ChunkCopier copier = first;
    int stalls = 0;
    for (int attempt = 1; ; attempt++) {
      Optional<Turn> turn = throttle.begin(item.blocks(), stop);
      if (turn.isEmpty()) {
        if (putBackIfEnded(item)) {
          close(copier);
          return null;
        }
        continue;
      }
      try {
        copier = copier == null ? copiers.open() : copier;
        if (copy(copier, item, turn.get())) {
          return copier;
        }
        if (putBackIfEnded(item)) {
          close(copier);
          return null;
        }
      } catch (SQLException e) {
        close(copier);
        copier = null;
        stalls += turn.get().stalls(timeout) ? 1 : 0;
        if (stalls == STALLS) {
          throw new CopyException(
              CopyException.Reason.SERVER_FAILED,
              ("Copying %s stood still for %d s, %d times. The destinations hold whole chunks only;"
                      + " the copy is not complete. Look what its sessions wait for on the source"
                      + " and its destinations, or raise copy.timeout; then run again.")
                  .formatted(item, timeout.toSeconds(), stalls),
              e);
        }
        if (AnchorHolder.SNAPSHOT_GONE.equals(e.getSQLState())) {
          throw new CopyException(
              CopyException.Reason.SNAPSHOT_GONE,
              e.getMessage()
                  + ". The copy goes on with another round, from a new anchor: what is there stays.",
              e);
        }
        if (!SqlState.mayPass(e)) {
          throw new CopyException(
              CopyException.Reason.SERVER_FAILED,
              ("Copying %s failed: %s [SQLSTATE %s]. The destinations hold whole chunks only; the"
                      + " copy is not complete. Remove the cause, then run again.")
                  .formatted(item, e.getMessage(), e.getSQLState()),
              e);
        }
        if (putBackIfEnded(item)) {
          return null;
        }
        log.warn("copying {} failed, attempt {}; again", item, attempt, e);
        Thread.sleep(Math.min(PAUSE.multipliedBy(attempt).toMillis(), LONGEST_PAUSE.toMillis()));
      } catch (RuntimeException e) {
        close(copier);
        throw e;
      } finally {
        turn.get().close();
      }
    }
  }

  private boolean copy(ChunkCopier copier, Item item, Turn turn) throws SQLException {
    UnderWay chunk = new UnderWay(copier, turn);
    underWay.add(chunk);
    try {
      return item.copy(copier, turn);
    } finally {
      underWay.remove(chunk);
    }
  }

  /** What does not even close is broken; its server ends it by itself. */
  private static void close(ChunkCopier copier) {
    if (copier != null) {
      try {
        copier.close();
      } catch (SQLException ignored) {
        // nothing depends on these sessions any more
      }
    }
  }

  private Item next() {
    if (stop.getAsBoolean()) {
      halt();
    }
    synchronized (this) {
      return stopped || failure != null ? null : queue.poll();
    }
  }

  /** A chunk that is not copied is not done. */
  private boolean putBackIfEnded(Item item) {
    boolean stopping = stop.getAsBoolean();
    synchronized (this) {
      if (!stopping && !stopped && failure == null) {
        return false;
      }
      queue.addFirst(item);
      stopped = true;
      return true;
    }
  }

  private synchronized void halt() {
    stopped = !queue.isEmpty();
  }

  private synchronized void fail(Throwable e) {
    if (failure == null) {
      failure = e;
    } else if (failure != e) {
      failure.addSuppressed(e);
    }
  }

  private synchronized boolean finished() throws SQLException {
    if (failure instanceof SQLException e) {
      throw e;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
    return !stopped;
  }

  private static void joinUninterruptibly(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
