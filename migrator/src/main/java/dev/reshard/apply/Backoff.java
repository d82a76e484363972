package dev.reshard.apply;

import java.time.Duration;

/**
 * How long to wait before a failed batch is tried again: longer each time, up to a second, and not
 * for ever. Confined to one thread.
 */
final class Backoff {
  private static final Duration FIRST = Duration.ofMillis(5);
  private static final Duration LONGEST = Duration.ofSeconds(1);

  private final Duration total;
  private Duration next = FIRST;
  private long firstFailureNanos;
  private int failures;

  Backoff(Duration total) {
    this.total = total;
  }

  /** Notes a failure; false: it has been tried for long enough. */
  boolean failed(long nowNanos) {
    if (failures == 0) {
      firstFailureNanos = nowNanos;
    }
    failures++;
    return nowNanos - firstFailureNanos < total.toNanos();
  }

  /** How long to wait now. */
  Duration delay() {
    Duration delay = next;
    next = next.multipliedBy(2);
    if (next.compareTo(LONGEST) > 0) {
      next = LONGEST;
    }
    return delay;
  }

  void succeeded() {
    failures = 0;
    next = FIRST;
  }

  int failures() {
    return failures;
  }
}
