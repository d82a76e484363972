package dev.reshard.migration;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalDouble;

/** How fast a count grows, over the last minute. Confined to its owner's lock. */
final class Pace {
  private static final long WINDOW_NANOS = 60_000_000_000L;
  private static final long SAMPLE_NANOS = 1_000_000_000L;

  private record Sample(long nanos, long count) {}

  private final Deque<Sample> samples = new ArrayDeque<>();
  private long grewNanos;

  /** From 0, now. */
  Pace(long nowNanos) {
    samples.add(new Sample(nowNanos, 0));
    grewNanos = nowNanos;
  }

  /**
   * Notes the count.
   *
   * @param count never smaller than before
   */
  void note(long nowNanos, long count) {
    Sample last = samples.getLast();
    if (count > last.count()) {
      grewNanos = nowNanos;
    }
    if (samples.size() > 1 && nowNanos - last.nanos() < SAMPLE_NANOS) {
      samples.removeLast();
      samples.add(new Sample(last.nanos(), count));
    } else {
      samples.add(new Sample(nowNanos, count));
    }
    while (samples.size() > 2 && nowNanos - samples.getFirst().nanos() > WINDOW_NANOS) {
      samples.removeFirst();
    }
  }

  /** Empty during the first second; near 0 when it has stood still for long. */
  OptionalDouble perSecond(long nowNanos) {
    Sample first = samples.getFirst();
    long nanos = nowNanos - first.nanos();
    return nanos < SAMPLE_NANOS
        ? OptionalDouble.empty()
        : OptionalDouble.of((samples.getLast().count() - first.count()) * 1e9 / nanos);
  }

  /** Whole seconds until {@code left} more; -1 while nobody can know. */
  long secondsFor(long left, long nowNanos) {
    double pace = perSecond(nowNanos).orElse(0);
    return left <= 0 ? 0 : pace <= 0 ? -1 : (long) Math.ceil(left / pace);
  }

  /** Whole seconds since the count grew. */
  long idleSeconds(long nowNanos) {
    return (nowNanos - grewNanos) / 1_000_000_000;
  }
}
