package dev.reshard.shadow;

import dev.reshard.topics.Mismatch;
import dev.reshard.topics.MismatchRate;
import dev.reshard.topics.ShadowRead;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Counts reads by table and destination, in total and in tumbling windows by the reads' own time,
 * and tells the rates once a second. A read that comes after its window has ended counts in the one
 * that is open. Confined to its stream thread.
 */
final class RateProcessor implements Processor<String, ShadowRead, String, byte[]> {
  static final Duration WINDOW = Duration.ofSeconds(10);
  static final Duration EMIT_EVERY = Duration.ofSeconds(1);

  private static final class Window {
    final String table;
    final String destination;
    final long startMs;
    final Latencies source = new Latencies();
    final Latencies destinationSide = new Latencies();
    Counts counts = Counts.NONE;

    Window(ShadowRead read, long startMs) {
      this.table = read.table().toString();
      this.destination = read.destination().name();
      this.startMs = startMs;
    }

    long endMs() {
      return startMs + WINDOW.toMillis();
    }
  }

  private final Map<String, Window> windows = new HashMap<>();
  private final Set<String> untold = new LinkedHashSet<>();
  private ProcessorContext<String, byte[]> context;
  private KeyValueStore<String, Counts> totals;
  private KeyValueStore<Integer, Long> positions;
  private long startedMs;

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    this.totals = context.getStateStore(ShadowTopology.TOTALS);
    this.positions = context.getStateStore(ShadowTopology.POSITIONS);
    this.startedMs = context.currentSystemTimeMs();
    context.schedule(EMIT_EVERY, PunctuationType.WALL_CLOCK_TIME, now -> tell());
  }

  @Override
  public void process(Record<String, ShadowRead> record) {
    ShadowRead read = record.value();
    Outcome outcome = Outcome.of(read);
    String group = read.group();
    Window window = windowAt(group, read, record.timestamp());
    window.counts = window.counts.plus(outcome);
    window.source.add(read.sourceMicros());
    window.destinationSide.add(read.destinationMicros());
    totals.put(group, total(group).plus(outcome));
    untold.add(group);
    if (outcome.isDifference()) {
      tell(read, outcome, record.timestamp());
    }
    context
        .recordMetadata()
        .ifPresent(place -> positions.put(place.partition(), place.offset() + 1));
  }

  private Window windowAt(String group, ShadowRead read, long timeMs) {
    Window open = windows.get(group);
    if (open != null && timeMs < open.endMs()) {
      return open;
    }
    if (open != null && untold.remove(group)) {
      tell(group);
    }
    Window next = new Window(read, timeMs - Math.floorMod(timeMs, WINDOW.toMillis()));
    windows.put(group, next);
    return next;
  }

  private void tell() {
    untold.forEach(this::tell);
    untold.clear();
  }

  /**
   * Windows that had ended before this start were told by an earlier one: they are only counted.
   */
  private void tell(String group) {
    Window window = windows.get(group);
    if (window.endMs() <= startedMs) {
      return;
    }
    MismatchRate rate =
        new MismatchRate(
            MismatchRate.VERSION,
            window.table,
            window.destination,
            Instant.ofEpochMilli(window.startMs).toString(),
            Instant.ofEpochMilli(window.endMs()).toString(),
            window.counts.byWord(),
            window.counts.rate(),
            total(group).rate(),
            window.source.percentiles(),
            window.destinationSide.percentiles());
    context.forward(
        new Record<>(group, rate.toJson(), context.currentSystemTimeMs()), ShadowTopology.RATES);
  }

  private void tell(ShadowRead read, Outcome outcome, long timeMs) {
    Mismatch mismatch =
        new Mismatch(
            Mismatch.VERSION,
            outcome.word(),
            read.table().toString(),
            read.source().name(),
            read.destination().name(),
            read.key(),
            Instant.ofEpochMilli(timeMs).toString());
    context.forward(
        new Record<>(read.table() + " " + read.key(), mismatch.toJson(), timeMs),
        ShadowTopology.MISMATCHES);
  }

  private Counts total(String group) {
    return Optional.ofNullable(totals.get(group)).orElse(Counts.NONE);
  }
}
