package dev.reshard.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/** When each transaction of the clients ran, how long it took, and what failed. Thread-safe. */
final class DemoTimes {
  private static final int FAILURES_KEPT = 20;

  /**
   * @param refused whether a shard refused it at first, with RS001
   */
  private record Ran(Instant start, Duration took, boolean refused) {
    boolean touches(Instant from, Instant to) {
      return !start.isAfter(to) && !start.plus(took).isBefore(from);
    }
  }

  private final Collection<Ran> all = new ConcurrentLinkedQueue<>();
  private final Deque<String> failures = new ArrayDeque<>();
  private long failed;

  void ran(Instant start, Duration took, boolean refused) {
    all.add(new Ran(start, took, refused));
  }

  synchronized void failed(String why) {
    failed++;
    if (failures.size() < FAILURES_KEPT) {
      failures.add(why);
    }
  }

  synchronized long failed() {
    return failed;
  }

  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  DemoWaits refusedBetween(Instant from, Instant to) {
    return DemoWaits.of(
        all.stream().filter(ran -> ran.refused() && ran.touches(from, to)).map(Ran::took).toList());
  }

  DemoWaits between(Instant from, Instant to) {
    return DemoWaits.of(all.stream().filter(ran -> ran.touches(from, to)).map(Ran::took).toList());
  }
}
