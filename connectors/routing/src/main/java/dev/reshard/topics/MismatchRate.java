package dev.reshard.topics;

import java.util.Map;

/**
 * How often dual reads of one table differ at one destination, in one window and since the topic of
 * reads begins. JSON with the fields' names in snake_case. Immutable.
 *
 * @param version of these fields; 1
 * @param windowStart ISO 8601, UTC
 * @param windowEnd exclusive
 * @param counts reads by outcome: match, mismatch, missing, extra, lagging, raced
 * @param window what the window's reads say
 * @param total what all reads say
 * @param sourceMicros how long reads of the source took in the window
 * @param destinationMicros how long reads of the destination took in the window
 */
public record MismatchRate(
    int version,
    String table,
    String destination,
    String windowStart,
    String windowEnd,
    Map<String, Long> counts,
    Rate window,
    Rate total,
    Latency sourceMicros,
    Latency destinationMicros) {

  /** The version that this program writes. */
  public static final int VERSION = 1;

  /**
   * A share of reads.
   *
   * @param compared reads with an answer: match, mismatch, missing or extra
   * @param mismatches those that differ
   * @param rate mismatches by compared; 0 if nothing was compared
   * @param upperBound the true rate is below, with 95 % confidence
   */
  public record Rate(long compared, long mismatches, double rate, double upperBound) {}

  /** Percentiles in microseconds, each at most a fifth too high. */
  public record Latency(long p50, long p99) {}

  public MismatchRate {
    counts = Map.copyOf(counts);
  }

  public byte[] toJson() {
    return Json.write(this);
  }
}
