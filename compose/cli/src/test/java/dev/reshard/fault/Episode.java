package dev.reshard.fault;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * One migration from its begin to its end, with faults in each of its states and around each
 * hand-over. Which, when and for how long follows from a seed. Confined to one thread.
 */
final class Episode {
  /** Slow enough that faults strike while rows are copied. */
  private static final String[] FILE = {"budget: { pause: 5s }", "throttle: { rate: 300kB/s }"};

  private static final Duration ANSWER_WITHIN = Duration.ofMinutes(2);
  private static final int MOST_BEFORE_MS = 300;
  private static final int MOST_BEFORE_LONG_MS = 3_000;

  private final Scene scene;
  private final Random random;
  private final Deque<Fault> faults;
  private final FaultLog log;
  private final boolean isCancelled;

  private Episode(Scene scene, long seed, List<Fault> faults, boolean isCancelled, FaultLog log) {
    this.scene = scene;
    this.random = new Random(seed);
    this.faults = new ArrayDeque<>(faults);
    this.isCancelled = isCancelled;
    this.log = log;
  }

  /**
   * Runs it.
   *
   * @param migration no other's on this broker
   * @param faults in their order, at least six
   * @param isCancelled whether nothing is to move in the end
   */
  static void run(
      Surroundings around,
      Path folder,
      String migration,
      long seed,
      List<Fault> faults,
      boolean isCancelled,
      FaultLog log)
      throws Exception {
    try (Scene scene = Scene.open(around, folder, migration, FILE)) {
      new Episode(scene, seed, faults, isCancelled, log).run();
    }
  }

  private void run() throws Exception {
    scene.awaitState(MigrationState.COPYING);
    strikeNext("COPYING");
    strikeNext("COPYING");
    requireRecovered();
    scene.shop.unthrottle();
    int around = isCancelled ? 1 : 3;
    for (int left = (faults.size() - around) / (isCancelled ? 1 : 2); left > 0; left--) {
      strikeNext("READY_FOR_CUTOVER");
      requireRecovered();
    }
    if (isCancelled) {
      end("cancel");
      return;
    }
    handOver("cutover");
    while (faults.size() > 2) {
      strikeNext("COMPLETED");
      requireRecovered();
    }
    handOver("rollback");
    if (random.nextBoolean()) {
      scene.shop.succeedOnceGatesOpen("cutover");
    }
    end("complete");
  }

  /** A fault strikes while it is under way; when that is over, nothing may be in its way. */
  private void handOver(String command) throws Exception {
    if (command.equals("cutover")) {
      scene.shop.succeed("verify");
    }
    CompletableFuture<Answer> asked = scene.shop.ask(command);
    strikeNext(command);
    asked.get(ANSWER_WITHIN.toSeconds(), TimeUnit.SECONDS); // whatever it says
    requireRecovered();
    String wanted = command.equals("cutover") ? "COMPLETED" : "ROLLED_BACK";
    if (!scene.shop.state().equals(wanted)) {
      scene.shop.succeedOnceGatesOpen(command);
    }
    requireRecovered();
  }

  private void end(String command) throws Exception {
    CompletableFuture<Answer> asked = scene.shop.ask(command);
    strikeNext(command);
    asked.get(ANSWER_WITHIN.toSeconds(), TimeUnit.SECONDS);
    if (!scene.hasEnded()) {
      scene.shop.run(command); // it was not heard, or is under way
    }
    scene.awaitEnd();
    scene.shop.clients.stop();
    scene.shop.requireRows();
  }

  private void requireRecovered() throws Exception {
    if (log.isLong() && random.nextBoolean()) {
      scene.awaitCaughtUp(); // while clients write
    }
    scene.requireRecovered();
  }

  private void strikeNext(String moment) throws Exception {
    Fault fault = faults.remove();
    TimeUnit.MILLISECONDS.sleep(
        random.nextInt(log.isLong() ? MOST_BEFORE_LONG_MS : MOST_BEFORE_MS));
    log.strikes(fault, moment);
    fault.strike(scene, fault.lasts(random, log.isLong()));
  }
}
