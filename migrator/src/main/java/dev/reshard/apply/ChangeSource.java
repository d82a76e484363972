package dev.reshard.apply;

import dev.reshard.change.Transaction;
import java.time.Duration;
import java.util.List;

/**
 * One shard's transactions, from a position on. Used by one thread at a time, while the lane's goes
 * through the transactions that it gave.
 *
 * <p>Gives complete transactions of the newest incarnation, in commit order; one that was given
 * before may come again. Heartbeats come too, as transactions without changes: they prove how far
 * the source has been read.
 */
public interface ChangeSource extends AutoCloseable {

  /**
   * What has come, at once if anything has; else waits at most {@code timeout}, and then the list
   * is empty.
   *
   * @throws RuntimeException if transactions are missing or cannot be read: the lane stops
   */
  List<Transaction> poll(Duration timeout);

  @Override
  void close();

  /** Opens sources; called again when the destination has lost its latest commits in a crash. */
  interface Factory {
    /**
     * @param position what the destination has; transactions up to it are skipped by the lane
     */
    ChangeSource open(LanePosition position);
  }
}
