package dev.reshard.spec;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** Reads {@code throttle} and {@code copy}: how the rows are copied, and how fast. Stateless. */
final class ThrottleReader {
  /** Larger messages to a destination bring nothing; there is one for each worker and shard. */
  private static final int LARGEST_BATCH = 16 << 20;

  private static final int SMALLEST_BATCH = 16 << 10;

  /** Each worker has so many batches for each destination in memory. */
  private static final int MOST_PREFETCH = 16;

  private ThrottleReader() {}

  static ThrottleSpec throttle(Yaml node) {
    List<Rate> rates = new ArrayList<>();
    if (node.isList("rate")) {
      rates.addAll(node.list("rate", Rate::parse));
    } else {
      node.optional("rate", Optional.<Rate>empty(), text -> Optional.of(Rate.parse(text)))
          .ifPresent(rates::add);
    }
    List<ThrottleSpec.Window> windows = new ArrayList<>();
    for (Yaml window : node.maps("windows")) {
      window(window).ifPresent(windows::add);
    }
    Yaml adaptive = node.map("adaptive");
    Optional<Duration> latency =
        node.has("adaptive")
            ? adaptive.required("latency", ThrottleReader::positive)
            : Optional.empty();
    adaptive.refuseUnknown();
    Optional<ThrottleSpec.Query> query =
        node.has("query") ? query(node.map("query")) : Optional.empty();
    node.refuseUnknown();
    return new ThrottleSpec(rates, windows, latency, query);
  }

  private static Optional<ThrottleSpec.Window> window(Yaml node) {
    Optional<LocalTime> from = node.required("from", ThrottleReader::time);
    Optional<LocalTime> to = node.required("to", ThrottleReader::time);
    Optional<ZoneId> zone = node.required("zone", ThrottleReader::zone);
    Optional<Rate> rate = node.required("rate", Rate::parse);
    node.refuseUnknown();
    if (from.isEmpty() || to.isEmpty() || zone.isEmpty() || rate.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new ThrottleSpec.Window(from.get(), to.get(), zone.get(), rate.get()));
    } catch (IllegalArgumentException e) {
      node.problem("to", e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<ThrottleSpec.Query> query(Yaml node) {
    Optional<String> sql = node.required("sql", Function.identity());
    double above = node.optional("above", 0.0, ThrottleReader::number);
    Rate rate = node.optional("rate", new Rate(Rate.Unit.BYTES, 0), Rate::parse);
    node.refuseUnknown();
    return sql.map(text -> new ThrottleSpec.Query(text, above, rate));
  }

  static Spec.Copy copy(Yaml node) {
    Spec.Copy copy =
        new Spec.Copy(
            node.optional(
                "workers", OptionalInt.empty(), text -> OptionalInt.of(SpecReader.positive(text))),
            node.optional("batch", Spec.Copy.BATCH_BYTES, ThrottleReader::batch),
            node.optional("prefetch", Spec.Copy.PREFETCH, ThrottleReader::prefetch),
            node.list("first", SpecReader::tableId),
            node.optional("timeout", Spec.Copy.TIMEOUT, ThrottleReader::positive),
            node.optional("snapshot", Spec.Copy.SNAPSHOT, ThrottleReader::positive));
    node.refuseUnknown();
    return copy;
  }

  private static int batch(String text) {
    long bytes = Sizes.parse(text);
    if (bytes < SMALLEST_BATCH || bytes > LARGEST_BATCH) {
      throw new IllegalArgumentException(
          "must be from %dKB to %dMB, got %s"
              .formatted(SMALLEST_BATCH >> 10, LARGEST_BATCH >> 20, text));
    }
    return (int) bytes;
  }

  private static int prefetch(String text) {
    int batches = SpecReader.positive(text);
    if (batches > MOST_PREFETCH) {
      throw new IllegalArgumentException(
          "must be at most %d, got %s".formatted(MOST_PREFETCH, text));
    }
    return batches;
  }

  private static LocalTime time(String text) {
    try {
      return LocalTime.parse(text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("'%s' is no time of day as 06:00".formatted(text), e);
    }
  }

  private static ZoneId zone(String text) {
    try {
      return ZoneId.of(text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          "'%s' is no time zone as Europe/Berlin or UTC".formatted(text), e);
    }
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'%s' is no number".formatted(text), e);
    }
  }

  private static Duration positive(String text) {
    Duration time = Durations.parse(text);
    if (time.isZero()) {
      throw new IllegalArgumentException("must be more than 0, got " + text);
    }
    return time;
  }
}
