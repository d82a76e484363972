package dev.reshard.throttle;

/**
 * Lets so much pass in a second, to everybody in the order in which they came: each takes a place
 * in line, and waits until what lies before it has passed. So a new rate counts at once, also for
 * who waits already. Confined to its owner's lock.
 */
final class Meter {
  /** What may pass at once after a rest. */
  private static final double BURST_SECONDS = 0.05;

  private double perSecond = Double.POSITIVE_INFINITY;
  private double taken;
  private double passed;
  private long atNanos;

  Meter(long nowNanos) {
    atNanos = nowNanos;
  }

  void setRate(double rate, long nowNanos) {
    advance(nowNanos);
    perSecond = rate;
  }

  /** Takes a place in line for so much; its place, for {@link #waitNanos}. */
  double take(long amount, long nowNanos) {
    advance(nowNanos);
    double place = taken;
    taken += (double) amount;
    return place;
  }

  /** How long until all before the place has passed; 0 when it has. */
  long waitNanos(double place, long nowNanos) {
    advance(nowNanos);
    return passed >= place ? 0 : (long) Math.ceil((place - passed) / perSecond * 1e9);
  }

  private void advance(long nowNanos) {
    double seconds = (nowNanos - atNanos) / 1e9;
    atNanos = nowNanos;
    passed =
        Double.isInfinite(perSecond)
            ? taken
            : Math.min(passed + perSecond * seconds, taken + perSecond * BURST_SECONDS);
  }
}
