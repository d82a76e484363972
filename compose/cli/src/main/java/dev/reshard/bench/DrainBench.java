package dev.reshard.bench;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code bench drain}. The whole way: the worker is not running while the backlog is written; the
 * time goes from its start, sessions and engine included, until the last transaction of the backlog
 * is seen by another session at the destination (which looks every 5 ms).
 */
@Command(
    name = "drain",
    description = "Applies a backlog of row updates, ten in a transaction.",
    mixinStandardHelpOptions = true)
final class DrainBench extends Measurement {
  private static final long LOOK_MS = 5;
  private static final long FEWEST = 80;

  @Option(
      names = "--changes",
      defaultValue = "500000",
      description = "row updates in the backlog (${DEFAULT-VALUE})")
  private long changes;

  @Override
  Optional<String> problem() {
    return changes < FEWEST
        ? Optional.of("--changes must be at least " + FEWEST)
        : Optional.empty();
  }

  @Override
  BenchResult measure(BenchServers servers) throws Exception {
    List<SandboxShard> shards = servers.destinations(1);
    try (BenchFile file = BenchFile.write(servers, shards, "")) {
      BenchWorker.command(file.path(), "check");
      say("copying");
      try (BenchWorker worker = BenchWorker.start(file.path())) {
        worker.await(MigrationState.READY_FOR_CUTOVER);
      }
      say("writing %d changes while no worker runs".formatted(changes));
      Orders.update(servers.source(), rows(), changes);
      servers.source().execute("UPDATE orders SET status = 'last' WHERE id = 1");
      say("draining");
      try (Looker last = Looker.at(shards.get(0))) {
        long begin = System.nanoTime();
        try (BenchWorker worker = BenchWorker.start(file.path())) {
          last.await("SELECT 1 FROM orders WHERE id = 1 AND status = 'last'", LOOK_MS);
          Duration time = Duration.ofNanos(System.nanoTime() - begin);
          return new BenchResult("drain", rows(), time)
              .with("changes", changes)
              .with("rows_per_second", Math.round(changes / (time.toNanos() / 1e9)));
        }
      }
    }
  }
}
