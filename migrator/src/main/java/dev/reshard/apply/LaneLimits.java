package dev.reshard.apply;

import java.time.Duration;

/**
 * Bounds of a lane's work. Immutable.
 *
 * @param batchRows the most changes in one destination transaction; a larger source transaction is
 *     still applied whole
 * @param batchBytes the most text in it, likewise; a larger source transaction is written piece by
 *     piece, so that no more of it than this, and a row, is in memory
 * @param pollTimeout how long one wait for changes lasts; bounds how late a closed lane ends
 * @param flushEvery at least this often a commit is synchronous, so that records before it may be
 *     deleted (HAZARDS F24)
 * @param lookEvery a batch that takes longer is looked after: whether its session is still served
 */
public record LaneLimits(
    int batchRows, int batchBytes, Duration pollTimeout, Duration flushEvery, Duration lookEvery) {
  public static final LaneLimits DEFAULT =
      new LaneLimits(
          10_000, 4 << 20, Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ofSeconds(10));

  public LaneLimits {
    if (batchRows < 1 || batchBytes < 1) {
      throw new IllegalArgumentException("a batch holds at least one row");
    }
  }

  public LaneLimits withBatchRows(int rows) {
    return new LaneLimits(rows, batchBytes, pollTimeout, flushEvery, lookEvery);
  }

  public LaneLimits withLookEvery(Duration time) {
    return new LaneLimits(batchRows, batchBytes, pollTimeout, flushEvery, time);
  }

  public LaneLimits withBatchBytes(int bytes) {
    return new LaneLimits(batchRows, bytes, pollTimeout, flushEvery, lookEvery);
  }
}
