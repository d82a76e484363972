package dev.reshard.throttle;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * One chunk's way: tells the throttle what is moved, a few rows at a time, and waits where that was
 * too fast. Confined to one thread, but for {@link #stalls}.
 */
public final class Turn implements AutoCloseable {
  /** So much is moved between two looks at the limits: a few of them a second, at any rate. */
  private static final int BATCH_BYTES = 16 << 10;

  private static final int BATCH_ROWS = 64;

  private final Throttle throttle;
  private final BooleanSupplier stop;
  private long rows;
  private long bytes;
  private volatile long sinceNanos;
  private volatile boolean waits;
  private long owedRest;

  Turn(Throttle throttle, BooleanSupplier stop) {
    this.throttle = throttle;
    this.stop = stop;
    this.sinceNanos = throttle.now();
  }

  /** A row has been moved. Once the copy is stopped nothing waits any more. */
  public void moved(int length) {
    rows++;
    bytes += length;
    if (bytes >= BATCH_BYTES || rows >= BATCH_ROWS) {
      settle();
    }
  }

  /** Many rows have been moved, or read and not moved, in one go. */
  public void moved(long manyRows, long manyBytes) {
    rows += manyRows;
    bytes += manyBytes;
    settle();
  }

  /**
   * Whether for so long no few rows have been moved, and none of them waited for its turn. By any
   * thread.
   */
  public boolean stalls(Duration timeout) {
    return !waits && throttle.now() - sinceNanos > timeout.toNanos();
  }

  private void settle() {
    waits = true;
    try {
      long worked = throttle.now() - sinceNanos;
      long waited = throttle.pay(rows, bytes, stop);
      owedRest =
          throttle.rest(owedRest + Math.round(worked * throttle.restPerWork()) - waited, stop);
      owedRest = Math.max(owedRest, -Throttle.SLICE_NANOS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // whoever interrupts wants it to end, not to wait
    }
    rows = 0;
    bytes = 0;
    sinceNanos = throttle.now();
    waits = false;
  }

  /** The chunk has ended. */
  @Override
  public void close() {
    settle();
    throttle.leave();
  }
}
