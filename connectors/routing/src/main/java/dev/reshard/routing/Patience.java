package dev.reshard.routing;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** How long one call has waited for closing buckets, and may still. Confined to one thread. */
final class Patience {
  private static final double FIRST_WAIT_MS = 1.5;
  private static final double LONGEST_WAIT_MS = 10;

  private final long start = System.nanoTime();
  private final Duration limit;
  private double waitMs = FIRST_WAIT_MS;

  Patience(Duration limit) {
    this.limit = limit;
  }

  Duration waited() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Negative when it is over. */
  Duration left() {
    return limit.minus(waited());
  }

  /** Waits a little, each time longer, and never as long as the others who wait. */
  void waitALittle() throws InterruptedException {
    double jittered = waitMs * ThreadLocalRandom.current().nextDouble(0.7, 1.3);
    Thread.sleep(Math.max(1, Math.round(jittered)));
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5);
  }
}
