package dev.reshard.demo;

import java.time.Duration;
import java.util.List;

/**
 * How long some transactions took, from their client's call to its answer. Immutable.
 *
 * @param count how many; the times are zero if there is none
 */
public record DemoWaits(int count, Duration p50, Duration p99, Duration max) {
  static DemoWaits of(List<Duration> times) {
    List<Duration> sorted = times.stream().sorted().toList();
    return new DemoWaits(
        sorted.size(), percentile(sorted, 50), percentile(sorted, 99), percentile(sorted, 100));
  }

  /** For people, with what failed meanwhile. */
  String summary(long failed) {
    String requests = "%d request%s failed".formatted(failed, failed == 1 ? "" : "s");
    return count == 0
        ? "no client's transaction met it; " + requests
        : "%s met it and waited p50 %d ms, p99 %d ms, max %d ms; %s"
            .formatted(
                count == 1 ? "1 client's transaction" : count + " clients' transactions",
                p50.toMillis(),
                p99.toMillis(),
                max.toMillis(),
                requests);
  }

  /** The smallest of the times that at least {@code percent} of them do not exceed. */
  private static Duration percentile(List<Duration> sorted, int percent) {
    if (sorted.isEmpty()) {
      return Duration.ZERO;
    }
    int rank = (int) Math.ceil(sorted.size() * percent / 100.0);
    return sorted.get(Math.max(1, rank) - 1);
  }
}
