package dev.reshard.fault;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/** What struck, when, and how it went: for who reads the test's output. Confined to one thread. */
final class FaultLog {
  private static final int LINE_EVERY = 10;

  private final boolean isLong;
  private final Map<Fault, Integer> struck = new EnumMap<>(Fault.class);
  private final long beginNanos = System.nanoTime();
  private String last = "nothing has struck";

  /**
   * @param isLong whether faults may last as long as in the field
   */
  FaultLog(boolean isLong) {
    this.isLong = isLong;
  }

  boolean isLong() {
    return isLong;
  }

  void strikes(Fault fault, String moment) {
    struck.merge(fault, 1, Integer::sum);
    last = "%s in %s".formatted(fault, moment);
    if (!isLong || total() % LINE_EVERY == 0) {
      System.out.printf("%5d s  fault %d: %s%n", elapsed().toSeconds(), total(), last);
    }
  }

  int total() {
    return struck.values().stream().mapToInt(Integer::intValue).sum();
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - beginNanos);
  }

  /** How often each kind struck. */
  String summary() {
    StringBuilder text =
        new StringBuilder("%d faults in %d s%n".formatted(total(), elapsed().toSeconds()));
    struck.forEach((fault, times) -> text.append("  %4d  %s%n".formatted(times, fault)));
    return text.toString();
  }

  /** The failure of a run, which says how to have it again. */
  AssertionError failure(long seed, Throwable why) {
    return new AssertionError(
        "seed %d, after %s: %s; again: -D%s=%d".formatted(seed, last, why, FaultSoakIT.SEED, seed),
        why);
  }
}
