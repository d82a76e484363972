package dev.reshard.throttle;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.spec.Rate;
import dev.reshard.spec.ThrottleSpec;
import dev.reshard.spec.ThrottleSpec.Query;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets one source's limits anew every second, by the file, the time of day, what others ask for,
 * and what the source answers. Runs on a thread of its own until it is interrupted; asks the source
 * only while somebody copies, compares or purges its rows.
 */
public final class SourceWatch implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(SourceWatch.class);
  private static final long TICK_MS = 100;
  private static final long LOOK_NANOS = 1_000_000_000L;

  /** Between two decisions: enough commits to tell the slow ones, soon enough to be felt. */
  private static final long DECIDE_NANOS = 2_000_000_000L;

  /** Commits right after a decision still feel the rate before. */
  private static final long SETTLE_NANOS = 500_000_000L;

  private static final double PERCENTILE = 0.9;

  /**
   * What people and services ask for beside the file.
   *
   * @param off whether the file's limits do not count now
   */
  public record Asked(boolean off, List<Limit> limits) {}

  private final ThrottleSpec file;
  private final Throttle throttle;
  private final Supplier<Asked> asked;
  private final SourceProbe probe;
  private final Optional<AdaptiveRate> adaptive;
  private final List<Double> commitsMs = new ArrayList<>();
  private Optional<Limit> slowed = Optional.empty();
  private long decidedNanos;
  private long decidedBytes;

  public SourceWatch(
      ShardSessions sessions,
      ShardId source,
      ThrottleSpec file,
      Throttle throttle,
      Supplier<Asked> asked) {
    this.file = file;
    this.throttle = throttle;
    this.asked = asked;
    this.probe = new SourceProbe(sessions, source);
    this.adaptive = file.latency().map(limit -> new AdaptiveRate(limit.toNanos() / 1e6));
  }

  @Override
  public void run() {
    try (probe) {
      long looked = System.nanoTime() - LOOK_NANOS;
      while (true) {
        boolean look = System.nanoTime() - looked >= LOOK_NANOS;
        looked = look ? System.nanoTime() : looked;
        try {
          tick(look);
        } catch (RuntimeException e) {
          log.warn("the limits of a source stay as they are: they cannot be found", e);
        }
        Thread.sleep(TICK_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private void tick(boolean look) {
    Asked now = asked.get();
    boolean busy = throttle.isBusy();
    if (busy && !now.off()) {
      measure();
    } else if (!busy) {
      probe.close();
    }
    if (look) {
      throttle.set(Limits.of(limits(now, busy)));
    }
  }

  private List<Limit> limits(Asked now, boolean busy) {
    List<Limit> all = new ArrayList<>(now.limits());
    if (!now.off()) {
      all.addAll(ofFile(file, Instant.now()));
      slowed.ifPresent(all::add);
      if (busy && file.query().isPresent()) {
        answer(file.query().get()).ifPresent(all::add);
      }
    }
    return all;
  }

  /** What the file alone demands at a time. */
  static List<Limit> ofFile(ThrottleSpec file, Instant now) {
    List<Limit> limits = new ArrayList<>();
    file.rates().forEach(rate -> limits.add(new Limit(rate, "throttle.rate")));
    file.windows().stream()
        .filter(window -> window.covers(now))
        .forEach(window -> limits.add(new Limit(window.rate(), window.toString())));
    return limits;
  }

  /** A question without an answer is one that says stop: nobody knows how the source is. */
  private Optional<Limit> answer(Query query) {
    try {
      return demanded(query, probe.ask(query.sql()));
    } catch (SQLException e) {
      log.debug("throttle.query", e);
      return Optional.of(
          new Limit(
              new Rate(Rate.Unit.BYTES, 0),
              "throttle.query cannot be answered: " + e.getMessage()));
    }
  }

  static Optional<Limit> demanded(Query query, double answer) {
    if (!(answer > query.above())) {
      return Optional.empty();
    }
    String reason =
        Double.isInfinite(answer)
            ? "throttle.query says true"
            : String.format(
                Locale.ROOT,
                "throttle.query says %s, above %s",
                plain(answer),
                plain(query.above()));
    return Optional.of(new Limit(query.rate(), reason));
  }

  private static String plain(double number) {
    return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
  }

  private void measure() {
    if (adaptive.isEmpty()) {
      return;
    }
    try {
      double ms = probe.commit().toNanos() / 1e6;
      long now = System.nanoTime();
      if (now - decidedNanos > DECIDE_NANOS + SETTLE_NANOS) {
        decide(now);
      } else if (now - decidedNanos > SETTLE_NANOS) {
        commitsMs.add(ms);
      }
    } catch (SQLException e) {
      log.debug("the latency of commits could not be measured", e);
    }
  }

  private void decide(long now) {
    long bytes = throttle.movedBytes();
    if (!commitsMs.isEmpty()) {
      commitsMs.sort(null);
      double seen = commitsMs.get((int) (PERCENTILE * (commitsMs.size() - 1)));
      double perSecond = (bytes - decidedBytes) * 1e9 / (now - decidedNanos);
      slowed = slowed(adaptive.orElseThrow().decide(seen, perSecond), seen, file.latency());
    }
    commitsMs.clear();
    decidedNanos = now;
    decidedBytes = bytes;
  }

  private static Optional<Limit> slowed(
      OptionalDouble rate, double seenMs, Optional<Duration> limit) {
    return rate.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Limit(
                new Rate(Rate.Unit.BYTES, rate.getAsDouble()),
                String.format(
                    Locale.ROOT,
                    "commits take %.1f ms, throttle.adaptive allows %d ms",
                    seenMs,
                    limit.orElseThrow().toMillis())));
  }
}
