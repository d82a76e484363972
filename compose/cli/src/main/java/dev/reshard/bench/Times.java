package dev.reshard.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** Statistics of measured times. Stateless. */
final class Times {
  private Times() {}

  /**
   * The smallest time that at least {@code percent} of them do not exceed.
   *
   * @param nanos at least one
   */
  static Duration percentile(Collection<Long> nanos, int percent) {
    long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("nothing was measured");
    }
    int rank = (int) Math.ceil(sorted.length * percent / 100.0);
    return Duration.ofNanos(sorted[Math.max(1, rank) - 1]);
  }

  /**
   * The middle one, or the mean of the two in the middle.
   *
   * @param times at least one
   */
  static Duration median(List<Duration> times) {
    long[] sorted = times.stream().mapToLong(Duration::toNanos).sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("nothing was measured");
    }
    int middle = sorted.length / 2;
    long[] middles = Arrays.copyOfRange(sorted, (sorted.length - 1) / 2, middle + 1);
    return Duration.ofNanos((long) Arrays.stream(middles).average().orElseThrow());
  }
}
