package dev.reshard.shadow;

import dev.reshard.topics.MismatchRate;

/** How long reads took, in steps of 2^(1/4). Confined to one thread. */
final class Latencies {
  private static final int STEPS_PER_DOUBLING = 4;

  private final long[] steps = new long[32 * STEPS_PER_DOUBLING];
  private long all;

  void add(long micros) {
    double doublings = Math.log((double) Math.max(1, micros)) / Math.log(2);
    steps[Math.min(steps.length - 1, (int) (doublings * STEPS_PER_DOUBLING))]++;
    all++;
  }

  MismatchRate.Latency percentiles() {
    return new MismatchRate.Latency(percentile(0.5), percentile(0.99));
  }

  /** The upper end of the step in which it lies, in microseconds; 0 if nothing was added. */
  private long percentile(double share) {
    long rank = (long) Math.ceil(all * share);
    long seen = 0;
    for (int i = 0; i < steps.length && rank > 0; i++) {
      seen += steps[i];
      if (seen >= rank) {
        return Math.round(Math.pow(2, (i + 1.0) / STEPS_PER_DOUBLING));
      }
    }
    return 0;
  }
}
