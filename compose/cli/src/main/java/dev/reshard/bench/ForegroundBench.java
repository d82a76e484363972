package dev.reshard.bench;

import dev.reshard.control.MigrationState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code bench foreground}. Five pairs of runs, one while the copy stands still, for all but some
 * rows a second, and one while it copies, throttled. Times are those of single-row updates at the
 * source, from when each was due until its answer. A pair's difference is that of its 99th
 * percentiles; the result has the medians.
 */
@Command(
    name = "foreground",
    description = "What clients of the source feel of a throttled copy.",
    mixinStandardHelpOptions = true)
final class ForegroundBench extends Measurement {
  private static final int PAIRS = 5;

  /** Some rows a second. */
  private static final String STANDSTILL = "1kB/s";

  /** A new rate counts within two seconds. */
  private static final long COUNTS_AFTER_MS = 2_500;

  @Mixin private LoadOptions load;

  @Option(
      names = "--seconds",
      defaultValue = "8",
      description = "how long each of the ten runs takes (${DEFAULT-VALUE})")
  private int seconds;

  @Option(
      names = "--rate",
      defaultValue = "10MB/s",
      description = "what the copy is throttled to (${DEFAULT-VALUE})")
  private String rate;

  @Override
  Optional<String> problem() {
    return load.problem(seconds);
  }

  @Override
  BenchResult measure(BenchServers servers) throws Exception {
    try (BenchFile file =
        BenchFile.write(
            servers, servers.destinations(1), "throttle: { rate: %s }".formatted(rate))) {
      BenchWorker.command(file.path(), "check");
      try (BenchWorker worker = BenchWorker.start(file.path())) {
        worker.await(MigrationState.COPYING);
        p99(servers); // not counted: until the clients have warmed up
        List<Duration> without = new ArrayList<>();
        List<Duration> with = new ArrayList<>();
        List<Duration> more = new ArrayList<>();
        for (int pair = 0; pair < PAIRS; pair++) {
          BenchWorker.command(file.path(), "throttle", "--rate", STANDSTILL);
          Thread.sleep(COUNTS_AFTER_MS);
          without.add(p99(servers));
          BenchWorker.command(file.path(), "throttle", "--reset");
          Thread.sleep(COUNTS_AFTER_MS);
          with.add(p99(servers));
          if (worker.state() != MigrationState.COPYING) {
            throw new BenchException(
                "the copy ended before the runs did: take more --rows, or a lower --rate");
          }
          more.add(with.get(pair).minus(without.get(pair)));
          say(
              String.format(
                  Locale.ROOT,
                  "p99 %.2f ms without, %.2f ms with the copy",
                  without.get(pair).toNanos() / 1e6,
                  with.get(pair).toNanos() / 1e6));
        }
        return new BenchResult(
                "foreground",
                (long) load.tps() * seconds * PAIRS,
                Duration.ofSeconds(seconds * (long) PAIRS))
            .with("rate", rate)
            .withMs("p99_ms", Times.median(with))
            .withMs("p99_without_ms", Times.median(without))
            .withMs("median_difference_ms", Times.median(more));
      }
    }
  }

  private Duration p99(BenchServers servers) throws Exception {
    return Times.percentile(
        Clients.run(
                servers.source(),
                load.tps(),
                rows(),
                Duration.ofSeconds(seconds),
                (id, number, at) -> {})
            .nanos(),
        99);
  }
}
