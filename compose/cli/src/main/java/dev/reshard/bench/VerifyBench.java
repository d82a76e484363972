package dev.reshard.bench;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;

/**
 * {@code bench verify}. {@code reshard verify}, from the command to its answer, and in turn with it
 * what {@code pgcopydb compare data} asks of both servers at once; the medians of three runs each,
 * after one that is not counted.
 */
@Command(
    name = "verify",
    description = "Compares all rows of both sides.",
    mixinStandardHelpOptions = true)
final class VerifyBench extends Measurement {
  private static final int RUNS = 3;

  @Override
  BenchResult measure(BenchServers servers) throws Exception {
    List<SandboxShard> shards = servers.destinations(1);
    try (BenchFile file = BenchFile.write(servers, shards, "")) {
      BenchWorker.command(file.path(), "check");
      say("copying");
      try (BenchWorker worker = BenchWorker.start(file.path())) {
        worker.await(MigrationState.READY_FOR_CUTOVER);
        say("comparing");
        List<SandboxShard> both = List.of(servers.source(), shards.get(0));
        List<Duration> ours = new ArrayList<>();
        List<Duration> plain = new ArrayList<>();
        for (int run = 0; run <= RUNS; run++) {
          plain.add(plain(both));
          ours.add(ours(file));
        }
        Duration time = Times.median(ours.subList(1, RUNS + 1));
        Duration other = Times.median(plain.subList(1, RUNS + 1));
        return new BenchResult("verify", rows(), time)
            .with("hashtext_seconds", other)
            .with(
                "times_as_fast",
                BenchResult.rounded((double) other.toNanos() / Math.max(1, time.toNanos())));
      }
    }
  }

  private static Duration ours(BenchFile file) {
    long begin = System.nanoTime();
    BenchWorker.command(file.path(), "verify");
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  private static Duration plain(List<SandboxShard> both) {
    long begin = System.nanoTime();
    List<CompletableFuture<List<String>>> sums =
        both.stream().map(shard -> CompletableFuture.supplyAsync(() -> sum(shard))).toList();
    if (!sums.get(0).join().equals(sums.get(1).join())) {
      throw new BenchException("the sides differ");
    }
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  private static List<String> sum(SandboxShard shard) {
    try {
      return shard.query("SELECT count(*) || ' ' || sum(hashtext(t::text)) FROM orders t");
    } catch (SQLException e) {
      throw new CompletionException(e);
    }
  }
}
