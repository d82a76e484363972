package dev.reshard.throttle;

import java.util.OptionalDouble;

/**
 * Finds the rate at which a source's latency stays below a limit: above the limit it goes down,
 * below four fifths of it up, in between it stays. Each turn of direction halves the step, so that
 * it settles and does not swing; several steps the same way make it larger again, as the load has
 * changed. Pure; confined to one thread.
 */
final class AdaptiveRate {
  /** Below this part of the limit there is room for more. */
  private static final double CALM = 0.8;

  private static final double FIRST_STEP = 0.3;
  private static final double SMALLEST_STEP = 0.02;
  private static final int STEPS_OF_A_TREND = 3;

  /** The copy always goes on, in bytes a second: standing still helps nobody for long. */
  static final double FLOOR = 256 << 10;

  /** A limit that is used by less than this part holds nobody back. */
  private static final double USED = 0.8;

  private final double limitMs;
  private double rate = Double.POSITIVE_INFINITY;
  private double step = FIRST_STEP;
  private int trend;

  AdaptiveRate(double limitMs) {
    this.limitMs = limitMs;
  }

  /**
   * Decides anew.
   *
   * @param latencyMs what was seen since the last decision took effect
   * @param movedPerSecond bytes that were copied meanwhile
   * @return bytes a second; empty: as fast as it can
   */
  OptionalDouble decide(double latencyMs, double movedPerSecond) {
    if (latencyMs > limitMs) {
      turn(-1);
      rate = Math.max(FLOOR, Math.min(rate, movedPerSecond) * (1 - step));
    } else if (latencyMs < CALM * limitMs && movedPerSecond >= USED * rate) {
      turn(1);
      rate *= 1 + step;
    }
    return Double.isInfinite(rate) ? OptionalDouble.empty() : OptionalDouble.of(rate);
  }

  private void turn(int direction) {
    if (trend * direction < 0) {
      step = Math.max(SMALLEST_STEP, step / 2);
      trend = direction;
      return;
    }
    trend += direction;
    if (Math.abs(trend) >= STEPS_OF_A_TREND) {
      step = Math.min(FIRST_STEP, step * 1.5);
    }
  }
}
