package dev.reshard.apply;

import java.time.Duration;

/**
 * How long to wait before a failed batch is tried again: longer each time, up to a second. Confined
 * to one thread.
 */
final class Backoff {
  private static final Duration FIRST = Duration.ofMillis(5);
  private static final Duration LONGEST = Duration.ofSeconds(1);

  private Duration next = FIRST;
  private int failures;

  void failed() {
    failures++;
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

  /** Since the last success. */
  int failures() {
    return failures;
  }
}
