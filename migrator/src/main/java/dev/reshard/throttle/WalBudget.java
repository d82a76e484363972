package dev.reshard.throttle;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;

/**
 * How much of its budget the WAL uses that one replication slot makes its shard keep, and when it
 * will be full if it goes on as in the last minutes. Pure; confined to one thread.
 */
public final class WalBudget {
  private static final double WARN = 0.5;
  private static final double THROTTLE = 0.75;
  private static final long WINDOW_NANOS = 180_000_000_000L;

  /** A trend of less time is none: WAL is let go in leaps. */
  private static final long SHORTEST_NANOS = 10_000_000_000L;

  /** What to do. */
  public enum Level {
    FINE,
    WARN,
    THROTTLE,
    PAUSE
  }

  /**
   * What was found.
   *
   * @param limit bytes; empty: nobody set one, neither the file nor the server
   * @param ofServer whether the limit is the server's own
   * @param fullIn seconds; empty while it does not grow
   */
  public record Use(
      Level level, long bytes, OptionalLong limit, boolean ofServer, OptionalLong fullIn) {
    /** Whole percents of the limit. */
    public long percent() {
      return limit.isEmpty() ? 0 : Math.round(100.0 * bytes / Math.max(1, limit.getAsLong()));
    }

    /** For people. */
    @Override
    public String toString() {
      if (limit.isEmpty()) {
        return "%d MB".formatted(bytes >> 20);
      }
      return "%d MB of %d MB (%s)%s"
          .formatted(
              bytes >> 20,
              limit.getAsLong() >> 20,
              ofServer ? "the shard's max_slot_wal_keep_size" : "budget.wal",
              fullIn.isEmpty() ? "" : ", full in " + span(fullIn.getAsLong()));
    }

    private static String span(long seconds) {
      long minutes = seconds / 60;
      return minutes < 1
          ? seconds + " s"
          : minutes < 60 ? minutes + " min" : "%d h %d min".formatted(minutes / 60, minutes % 60);
    }
  }

  private record Sample(long nanos, long bytes) {}

  private final OptionalLong budget;
  private final Deque<Sample> samples = new ArrayDeque<>();

  /**
   * @param budget bytes, of the file; empty: only the server's own limit counts
   */
  public WalBudget(OptionalLong budget) {
    this.budget = budget;
  }

  /**
   * Notes what is kept now.
   *
   * @param safe bytes that may be written until the server gives the slot up; empty: it never does
   */
  public Use note(long bytes, OptionalLong safe, long nowNanos) {
    samples.add(new Sample(nowNanos, bytes));
    while (nowNanos - samples.getFirst().nanos() > WINDOW_NANOS) {
      samples.removeFirst();
    }
    long server = safe.isEmpty() ? Long.MAX_VALUE : bytes + Math.max(0, safe.getAsLong());
    boolean ofServer = server < budget.orElse(Long.MAX_VALUE);
    OptionalLong limit = ofServer ? OptionalLong.of(server) : budget; // the nearer one
    return new Use(level(bytes, limit), bytes, limit, ofServer, fullIn(bytes, limit, nowNanos));
  }

  private static Level level(long bytes, OptionalLong limit) {
    if (limit.isEmpty()) {
      return Level.FINE;
    }
    double part = (double) bytes / Math.max(1, limit.getAsLong());
    if (part >= 1) {
      return Level.PAUSE;
    }
    return part > THROTTLE ? Level.THROTTLE : part > WARN ? Level.WARN : Level.FINE;
  }

  private OptionalLong fullIn(long bytes, OptionalLong limit, long nowNanos) {
    Sample first = samples.getFirst();
    long nanos = nowNanos - first.nanos();
    if (limit.isEmpty() || nanos < SHORTEST_NANOS || bytes <= first.bytes()) {
      return OptionalLong.empty();
    }
    double perSecond = (bytes - first.bytes()) * 1e9 / nanos;
    return OptionalLong.of(Math.max(0, Math.round((limit.getAsLong() - bytes) / perSecond)));
  }
}
