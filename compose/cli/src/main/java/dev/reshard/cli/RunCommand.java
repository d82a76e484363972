package dev.reshard.cli;

import dev.reshard.control.LeaseLostException;
import dev.reshard.control.LeaseRanOutException;
import dev.reshard.control.MigrationState;
import dev.reshard.plan.Plan;
import dev.reshard.postgres.SqlState;
import dev.reshard.preflight.CheckSessions;
import dev.reshard.preflight.Preflight;
import dev.reshard.spec.Spec;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code reshard run}: the worker. */
@Command(
    name = "run",
    description = "Works on the migration; stop and start it at will.",
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  private static final long AGAIN_MS = 1_000;

  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Option(
      names = "--until",
      paramLabel = "STATE",
      description = "stop in this state (default: work on until the migration is CLEANED)")
  private MigrationState until = MigrationState.CLEANED;

  @Option(
      names = "--standby",
      description = "wait while another worker is alive, and take over when it is not")
  private boolean standby;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = self.commandLine().getOut();
    Spec spec = file.read();
    try (Wiring wiring = file.open(spec)) {
      if (wiring.isCleaned()) {
        out.println("migration %s is CLEANED: nothing is left to do".formatted(spec.migration()));
        return ExitCode.DONE.code();
      }
      if (wiring.isNew()) {
        Plan plan = wiring.plan();
        if (plan.isEmpty()) {
          out.println(plan.summary());
          return ExitCode.DONE.code();
        }
        ExitCode checked = check(wiring, out);
        if (checked != ExitCode.DONE) {
          return checked.code();
        }
      }
      if (spec.embedsKafka()) {
        out.println(
            "kafka is embedded: the broker lives in this process, its data in "
                + file.rehearsalKafka().directory());
      }
      for (boolean worked = false; ; worked = true) {
        try (RunningWorker worker = standby ? wiring.standby() : wiring.worker();
            StateLines states = StateLines.begin(wiring.control(), out)) {
          out.println(
              "working on %s; log: %s; 'reshard status%s' tells how it goes"
                  .formatted(spec.migration(), Logging.file(), file.options()));
          return work(worker, spec, states, out);
        } catch (SQLException e) {
          if (!(worked || standby) || !SqlState.mayPass(e)) {
            throw e; // who has just typed the command is told at once
          }
          TimeUnit.MILLISECONDS.sleep(AGAIN_MS); // the control database is still away
        } catch (LeaseLostException e) {
          boolean ranOut = e instanceof LeaseRanOutException;
          if (!standby && !ranOut) {
            throw e;
          }
          out.println(e.getMessage() + (standby ? "; it stands by again" : "; it takes it anew"));
          TimeUnit.MILLISECONDS.sleep(ranOut ? AGAIN_MS : 0); // by the server it ends later
        }
      }
    }
  }

  /** What would stop a migration half-way is told before anything is made for it. */
  private static ExitCode check(Wiring wiring, PrintWriter out)
      throws SQLException, InterruptedException {
    try (CheckSessions sessions = wiring.checkSessions()) {
      Preflight.Result result = Preflight.run(wiring.checks(sessions).all());
      if (result.blocked()) {
        result.lines().forEach(out::println);
        out.println("nothing was begun");
      }
      return CheckCommand.exitCode(result, sessions);
    }
  }

  private int work(RunningWorker worker, Spec spec, StateLines states, PrintWriter out)
      throws Exception {
    Thread hook = new Thread(worker::stop, "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      MigrationState state = worker.run(until);
      states.close();
      out.println("migration %s is %s".formatted(spec.migration(), state));
      if (spec.embedsKafka() && state == MigrationState.CLEANED) {
        out.println(file.rehearsalKafka().farewell());
      }
      return ExitCode.DONE.code();
    } finally {
      removeHook(hook);
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the program is ending, and the hook is running
    }
  }
}
