package dev.reshard.verify;

import dev.reshard.throttle.Turn;

/**
 * The turns of a comparison while it has its snapshots: each range of pages waits for the source's
 * throttle. A comparison that is held back keeps the snapshots, which hold vacuum back, for a
 * limited time only; one that nothing holds back for as long as it takes. Thread-safe.
 */
final class Turns implements AutoCloseable {
  /** 4 MiB: some ten milliseconds of a server's work, against one of asking for it. */
  static final int RANGE_BLOCKS = 512;

  /** Rows that are found by their keys at a time. */
  static final int RANGE_KEYS = 1000;

  private final ComparisonLimits limits;
  private final long begin = System.nanoTime();
  private volatile boolean paused;
  private volatile boolean closed;

  /** Begins with the snapshots. */
  Turns(ComparisonLimits limits) {
    this.limits = limits;
  }

  /**
   * Waits, with no lock on any table, until a range may be read.
   *
   * @param blocks pages that it has
   * @throws HeldUpException if the comparison is to end, or to let its snapshots go
   */
  Turn next(long blocks) throws InterruptedException {
    return limits
        .throttle()
        .begin(blocks, this::isOver)
        .orElseThrow(() -> new HeldUpException("no other range may be read"));
  }

  /** Whether all may be read in one go, until {@link #mustCut}. */
  boolean isFree() {
    return !limits.measured() && limits.throttle().isFree();
  }

  /** Whether what is read in one go must be ended, as there is a limit now, or nobody waits. */
  boolean mustCut() {
    return !limits.throttle().isFree() || isOver();
  }

  /** Whether somebody paused it while it had its snapshots. */
  boolean wasPaused() {
    return paused;
  }

  private boolean isOver() {
    paused |= limits.throttle().isPaused();
    boolean late =
        !limits.throttle().isFree() && System.nanoTime() - begin > limits.snapshot().toNanos();
    return closed || late || limits.stop().getAsBoolean();
  }

  /** Ends all waiting. */
  @Override
  public void close() {
    closed = true;
  }
}
