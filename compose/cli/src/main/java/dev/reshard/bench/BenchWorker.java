package dev.reshard.bench;

import dev.reshard.cli.Main;
import dev.reshard.cli.RunningWorker;
import dev.reshard.cli.Wiring;
import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationState;
import dev.reshard.spec.SpecReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The product's worker on a migration file, in a thread of this process, as {@code reshard run} has
 * it. Confined to one thread.
 */
final class BenchWorker implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofHours(1);
  private static final long LOOK_MS = 20;
  private static final int LOG = 100;

  private final Wiring wiring;
  private final Wiring watch;
  private final RunningWorker worker;
  private final CompletableFuture<Void> running;

  private BenchWorker(Wiring wiring, Wiring watch, RunningWorker worker) {
    this.wiring = wiring;
    this.watch = watch;
    this.worker = worker;
    this.running =
        CompletableFuture.runAsync(this::run, task -> new Thread(task, "worker").start());
  }

  /** Begins the migration, or goes on with it. */
  static BenchWorker start(Path file) throws SQLException, InterruptedException {
    Wiring wiring = new Wiring(SpecReader.read(file));
    return new BenchWorker(wiring, new Wiring(SpecReader.read(file)), wiring.worker());
  }

  /**
   * Runs one of the product's commands.
   *
   * @throws BenchException with what it printed, if it does not succeed
   */
  static void command(Path file, String... words) {
    StringWriter said = new StringWriter();
    PrintWriter out = new PrintWriter(said, true);
    String[] all = new String[words.length + 2];
    System.arraycopy(words, 0, all, 0, words.length);
    all[words.length] = "-f";
    all[words.length + 1] = file.toString();
    int code = Main.run(out, out, all);
    if (code != 0) {
      throw new BenchException(
          "reshard %s ended with exit code %d: %s".formatted(words[0], code, said));
    }
  }

  private void run() {
    try {
      worker.run(MigrationState.CLEANED);
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  /**
   * Waits until the migration has come to a state; it may have left it again.
   *
   * @throws BenchException if it pauses or fails, or the worker ends
   */
  void await(MigrationState wanted) throws SQLException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (System.nanoTime() < deadline) {
      List<Transition> log = watch.control().transitions(LOG);
      if (log.stream().anyMatch(transition -> transition.to() == wanted)) {
        return;
      }
      requireWell(log);
      Thread.sleep(LOOK_MS); // the next look
    }
    throw new BenchException("not %s after %s".formatted(wanted, LIMIT));
  }

  private void requireWell(List<Transition> log) {
    if (running.isCompletedExceptionally()) {
      running.join();
    }
    if (!log.isEmpty()
        && List.of(MigrationState.PAUSED, MigrationState.FAILED).contains(log.get(0).to())) {
      throw new BenchException(
          "the migration is %s: %s".formatted(log.get(0).to(), log.get(0).why()));
    }
  }

  /** When the migration first came to a state, by the control database's clock. */
  Instant cameTo(MigrationState state) throws SQLException {
    return watch.control().transitions(LOG).stream()
        .filter(transition -> transition.to() == state)
        .map(Transition::at)
        .min(Instant::compareTo)
        .orElseThrow(() -> new BenchException("the migration never was " + state));
  }

  MigrationState state() throws SQLException {
    return watch.control().state();
  }

  /** Stops it, as Ctrl-C does; the migration stays as it is. */
  @Override
  public void close() throws SQLException {
    worker.stop();
    worker.close();
    watch.close();
    wiring.close();
  }
}
