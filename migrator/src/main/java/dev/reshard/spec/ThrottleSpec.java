package dev.reshard.spec;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;

/**
 * What holds back who copies, compares or purges a shard's rows. All count at a time, the strictest
 * of a kind stands. Immutable.
 *
 * @param rates at any time
 * @param latency how long a small commit on the source may take while it is copied, at the 90th
 *     percentile; above it the copy slows down
 */
public record ThrottleSpec(
    List<Rate> rates, List<Window> windows, Optional<Duration> latency, Optional<Query> query) {
  /** Nothing does. */
  public static final ThrottleSpec NONE =
      new ThrottleSpec(List.of(), List.of(), Optional.empty(), Optional.empty());

  public ThrottleSpec {
    rates = List.copyOf(rates);
    windows = List.copyOf(windows);
  }

  /**
   * A part of each day, by the clocks of a zone, that has a rate of its own. Where they are put
   * forward, a window that lies in the missing hour does not come that day; where they are put
   * back, one in the doubled hour comes twice.
   *
   * @param to exclusive; before {@code from} for a window across midnight
   */
  public record Window(LocalTime from, LocalTime to, ZoneId zone, Rate rate) {
    public Window {
      if (from.equals(to)) {
        throw new IllegalArgumentException(
            "from and to are both %s: write a rate without a window for all day".formatted(from));
      }
    }

    /** Whether it is open. */
    public boolean covers(Instant now) {
      LocalTime time = now.atZone(zone).toLocalTime();
      boolean begun = !time.isBefore(from);
      boolean notOver = time.isBefore(to);
      return from.isBefore(to) ? begun && notOver : begun || notOver;
    }

    @Override
    public String toString() {
      return "window %s-%s %s".formatted(from, to, zone);
    }
  }

  /**
   * A question to each source, asked every second, whose answer is a number, or a boolean that is
   * true to slow down.
   *
   * @param above a number above this one slows down
   * @param rate to which it slows down; by default it pauses
   */
  public record Query(String sql, double above, Rate rate) {}
}
