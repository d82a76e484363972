package dev.reshard.bench;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code bench copy}. The time is that of state COPYING in the transition log: from the anchor
 * until the destination has all rows and its indexes; the way back's replication slot is made in it
 * too, statistics are not. {@code rows_alone_seconds} ends where the ledger at the destinations
 * says that all rows are there (looked at every 10 ms). {@code prepare_seconds} comes before it:
 * row keys, guards, publications, topics.
 */
@Command(
    name = "copy",
    description = "Copies table orders with its indexes into empty destinations.",
    mixinStandardHelpOptions = true)
final class CopyBench extends Measurement {
  @Option(
      names = "--destinations",
      paramLabel = "1|2",
      defaultValue = "1",
      description = "split it over so many databases of the destination server (${DEFAULT-VALUE})")
  private int destinations;

  @Override
  Optional<String> problem() {
    return destinations == 1 || destinations == 2
        ? Optional.empty()
        : Optional.of("--destinations must be 1 or 2");
  }

  @Override
  BenchResult measure(BenchServers servers) throws Exception {
    List<SandboxShard> shards = servers.destinations(destinations);
    try (BenchFile file = BenchFile.write(servers, shards, "")) {
      BenchWorker.command(file.path(), "check");
      say("copying");
      try (RowsThere there = RowsThere.watch(shards);
          BenchWorker worker = BenchWorker.start(file.path())) {
        worker.await(MigrationState.CATCHING_UP);
        Instant begin = worker.cameTo(MigrationState.COPYING);
        Duration time = Duration.between(begin, worker.cameTo(MigrationState.CATCHING_UP));
        requireAll(shards);
        return new BenchResult("copy", rows(), time)
            .with("destinations", destinations)
            .with("rows_alone_seconds", Duration.between(begin, there.since()))
            .with(
                "prepare_seconds",
                Duration.between(worker.cameTo(MigrationState.PREPARING), begin));
      }
    }
  }

  private void requireAll(List<SandboxShard> shards) throws Exception {
    long there = 0;
    for (SandboxShard shard : shards) {
      there += Long.parseLong(shard.query("SELECT count(*) FROM orders").get(0));
    }
    if (there != rows()) {
      throw new BenchException("%d rows were copied, of %d".formatted(there, rows()));
    }
  }
}
