package dev.reshard.demo;

import dev.reshard.cli.ExitCode;
import dev.reshard.cli.Main;
import dev.reshard.cli.Wiring;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.routing.DatabaseAddress;
import dev.reshard.routing.RouterConfig;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.routing.ShardRouter;
import dev.reshard.sandbox.Sandbox;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.spec.SpecReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * Starts real servers, fills them, lets clients write, and then does what an operator does, with
 * the product's own commands; in the end a checker that knows only what clients were told judges
 * it. Confined to one thread.
 */
final class Demo {
  private static final Duration LIMIT = Duration.ofMinutes(30);
  private static final long LOOK_MS = 200;
  private static final int MOST_TRIES = 20;
  private static final long RETRY_MS = 1_000;
  private static final Duration BETWEEN = Duration.ofSeconds(8);

  private final DemoOptions options;
  private final DemoScreen screen;
  private final DemoReport report;
  private Path file;

  Demo(DemoOptions options, DemoScreen screen) {
    this.options = options;
    this.screen = screen;
    this.report = new DemoReport(options);
  }

  /** Whether not one acknowledged write is lost, doubled or stale, and nothing was left behind. */
  boolean run() throws Exception {
    screen.plain(
        "%d shards become %d while %d clients keep writing. Real PostgreSQL 17 and Kafka 4.3, started here, stopped at the end."
            .formatted(options.before(), options.after(), DemoOptions.CLIENTS));
    screen.plain(
        "The commands below are the real ones; their file is demo/migration.yaml (--keep leaves everything running).");
    screen.plain("");
    try (DemoStop stop = DemoStop.atExit(screen);
        Sandbox sandbox = Sandbox.start(Sandbox.Options.shards(options.shards().size()))) {
      stop.closes(sandbox);
      DemoLoad.Loaded loaded =
          DemoLoad.load(
              sandbox.shards(), options.mapBefore(), DemoOptions.PARTITIONING, options.rows());
      for (String name : options.shards().subList(options.before(), options.shards().size())) {
        sandbox.shard(name).execute("DELETE FROM plans"); // a new shard: it gets them from its home
      }
      screen.line(
          "servers",
          "PostgreSQL %s and Kafka; %s rows in %d tables, %d MB"
              .formatted(
                  String.join(", ", options.shards()),
                  number(loaded.total()),
                  loaded.rows().size() + 1, // and the reference table
                  loaded.bytes() >> 20));
      file = DemoFile.write(DemoFile.FOLDER, sandbox, options);
      adoptMap(sandbox);
      DemoLedger ledger = DemoLedger.of(sandbox.shards());
      boolean clean;
      try (ShardRouter router = ShardRouter.open(router(sandbox));
          DemoClients clients =
              DemoClients.start(router, ledger, DemoOptions.CLIENTS, options.tps())) {
        screen.line(
            "clients",
            "%d clients, %d write transactions/s through the router, until the end"
                .formatted(DemoOptions.CLIENTS, options.tps()));
        reshard(sandbox, clients);
        clients.stop();
        clean = judge(sandbox, clients, ledger);
      }
      if (options.keep()) {
        screen.plain("Everything is left running; Ctrl-C stops it.");
        Thread.currentThread().join();
      }
      return clean;
    }
  }

  /** All that an operator does, in the order in which one does it. */
  private void reshard(Sandbox sandbox, DemoClients clients) throws Exception {
    command("check");
    command("plan");
    try (Wiring wiring = new Wiring(SpecReader.read(file))) {
      Moves moves = wiring.plan().moves();
      CompletableFuture<Integer> worker = CompletableFuture.supplyAsync(this::work);
      DemoProgress progress = new DemoProgress(wiring, screen, worker, moves);
      progress.until(MigrationState.READY_FOR_CUTOVER, LIMIT);
      report.copied(progress.rowsCopied());
      command("verify");
      progress.dualReads();
      Move first = moves.all().get(0);
      try (StaleClient stale = StaleClient.begin(sandbox.shard(first.source().name()), first)) {
        handOver("cutover", moves, clients);
        String refusal = stale.write();
        screen.line(
            "psql, around the router, in a transaction older than the fence, writes to %s:"
                .formatted(first.source()),
            "");
        screen.line(
            "",
            refusal.isEmpty()
                ? "ACCEPTED: a promise is broken"
                : refusal + "   refused, as it must be");
        if (refusal.isEmpty()) {
          throw new DemoStoppedException("the old owner took a write after the cutover");
        }
      }
      Thread.sleep(BETWEEN.toMillis()); // clients write to the new owners
      handOver("rollback", moves, clients);
      Thread.sleep(BETWEEN.toMillis()); // and to the old ones again
      handOver("cutover", moves, clients);
      report.applied(progress.changesApplied());
      command("complete", DemoOptions.MIGRATION, "--yes");
      worker.get();
    }
  }

  private void handOver(String command, Moves moves, DemoClients clients) throws Exception {
    Instant from = Instant.now();
    long failedBefore = clients.failed();
    command(command, DemoOptions.MIGRATION, "--yes");
    Thread.sleep(LOOK_MS); // for the answers of those who were waiting
    DemoWaits waits = clients.refusedBetween(from, Instant.now());
    long failed = clients.failed() - failedBefore;
    screen.line("", waits.summary(failed));
    clients.failures().forEach(failure -> screen.line("", "failed: " + failure));
    if (command.equals("cutover")) {
      report.cutover(moves.buckets().size(), waits, failed);
    } else {
      report.rollback(moves.buckets().size(), waits, failed);
    }
  }

  /** The worker; what it tells of its states stands on this screen already, but for the end. */
  private int work() {
    StringWriter said = new StringWriter();
    PrintWriter all = new PrintWriter(said, true);
    int code = Main.run(all, all, "run", "-f", file.toString());
    List<String> lines = said.toString().lines().toList();
    PrintWriter shown = screen.command("reshard run");
    lines.stream().skip(code == 0 ? Math.max(0, lines.size() - 1) : 0).forEach(shown::println);
    return code;
  }

  /**
   * Runs a command as an operator does who is sure: nobody is asked back.
   *
   * @throws DemoStoppedException if it does not succeed
   */
  private void command(String command, String... more) throws InterruptedException {
    String[] words = new String[3 + more.length];
    words[0] = command;
    System.arraycopy(more, 0, words, 1, more.length);
    words[1 + more.length] = "-f";
    words[2 + more.length] = file.toString();
    int code = run("reshard " + command, words);
    for (int again = 0; isWorthAnotherTry(code) && again < MOST_TRIES; again++) {
      Thread.sleep(RETRY_MS); // whatever was in the way may have passed
      code = run("again: " + command, words);
    }
    if (code != 0) {
      throw new DemoStoppedException(
          "the demo stops: reshard %s ended with exit code %d; see above, and the log"
              .formatted(command, code));
    }
  }

  private int run(String label, String... words) {
    PrintWriter out = screen.command(label);
    return Main.run(out, out, words);
  }

  /** A machine that is busy with other things may miss the budget, or a gate, and says so. */
  private static boolean isWorthAnotherTry(int code) {
    return code == ExitCode.GAVE_UP.code() || code == ExitCode.REFUSED.code();
  }

  private boolean judge(Sandbox sandbox, DemoClients clients, DemoLedger ledger) throws Exception {
    CheckReport check = DemoChecker.check(sandbox.shards(), ledger);
    DemoLeftovers left = DemoLeftovers.find(sandbox);
    screen.line("left", left.summary());
    boolean clean = check.isClean() && left.unwanted().isEmpty() && clients.failed() == 0;
    screen.plain("");
    screen.plain(
        " What clients were told is committed, against every shard, row by row, by a checker that does not use the router:");
    screen.plain(
        String.format(
            Locale.ROOT,
            "   %12s %9s %10s %8s %10s %22s",
            "acknowledged",
            "lost",
            "doubled",
            "stale",
            "unknown",
            "rows that differ"));
    screen.plain(
        String.format(
            Locale.ROOT,
            "   %12s %9d %10d %8d %10d %22d",
            number(check.acknowledged()),
            check.lost(),
            check.doubled(),
            check.stale(),
            check.unknown(),
            check.differing() + check.extra()));
    check.examples().forEach(example -> screen.plain("   " + example));
    clients.failures().forEach(failure -> screen.plain("   failed: " + failure));
    screen.plain(
        (clean ? " Nothing was lost." : " SOMETHING IS WRONG: see above.")
            + " The longest any client waited: %d ms.%s"
                .formatted(clients.longest().toMillis(), details(check, left)));
    return clean;
  }

  /** A report that cannot be written costs nobody the verdict. */
  private String details(CheckReport check, DemoLeftovers left) {
    try {
      report.write(check, left.unwanted(), left.guardsKept());
      return " Details: " + options.report();
    } catch (IOException e) {
      return " The report could not be written: " + e.getMessage();
    }
  }

  /** What an application does that begins to use the router: it stores where its rows lie. */
  private void adoptMap(Sandbox sandbox) throws Exception {
    try (Connection connection = sandbox.shard("a").connect(SandboxRole.RESHARD)) {
      ShardMapStore.adopt(connection, "shop", DemoOptions.PARTITIONING, options.mapBefore());
    }
  }

  private RouterConfig router(Sandbox sandbox) {
    Map<ShardId, DatabaseAddress> shards = new TreeMap<>();
    options.shards().forEach(name -> shards.put(new ShardId(name), address(sandbox.shard(name))));
    return RouterConfig.of("shop", DemoOptions.PARTITIONING, address(sandbox.shard("a")), shards);
  }

  private static DatabaseAddress address(SandboxShard shard) {
    return new DatabaseAddress(shard.url(), SandboxRole.APP.user(), SandboxRole.APP.password());
  }

  static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value).replace(',', ' ');
  }
}
