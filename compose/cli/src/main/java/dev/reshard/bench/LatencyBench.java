package dev.reshard.bench;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code bench latency}. Four clients update single rows, each row once, at a steady rate. A time
 * goes from the answer to a commit at the source until another session at the destination sees that
 * row's new value; it looks once a millisecond for all that are on their way, so a time is up to
 * that, and the look itself, too long. The first five seconds are not counted.
 */
@Command(
    name = "latency",
    description = "Source commit to destination commit, of single-row updates.",
    mixinStandardHelpOptions = true)
final class LatencyBench extends Measurement {
  private static final Duration WARM_UP = Duration.ofSeconds(5);

  @Mixin private LoadOptions load;

  @Option(
      names = "--seconds",
      defaultValue = "30",
      description = "how long to measure (${DEFAULT-VALUE})")
  private int seconds;

  @Override
  Optional<String> problem() {
    return load.problem(seconds);
  }

  @Override
  BenchResult measure(BenchServers servers) throws Exception {
    List<SandboxShard> shards = servers.destinations(1);
    try (BenchFile file = BenchFile.write(servers, shards, "")) {
      BenchWorker.command(file.path(), "check");
      say("copying");
      try (BenchWorker worker = BenchWorker.start(file.path());
          Arrivals arrivals = new Arrivals(Looker.at(shards.get(0)))) {
        worker.await(MigrationState.READY_FOR_CUTOVER);
        say("writing %d updates a second".formatted(load.tps()));
        Duration time = Duration.ofSeconds(seconds);
        Clients.Run run =
            Clients.run(
                servers.source(), load.tps(), rows(), WARM_UP.plus(time), arrivals::committed);
        List<Long> nanos = arrivals.after(run.began() + WARM_UP.toNanos());
        return new BenchResult("latency", nanos.size(), time)
            .withMs("p50_ms", Times.percentile(nanos, 50))
            .withMs("p99_ms", Times.percentile(nanos, 99))
            .withMs("max_ms", Times.percentile(nanos, 100));
      }
    }
  }
}
