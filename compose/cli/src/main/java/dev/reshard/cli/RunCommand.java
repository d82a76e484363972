package dev.reshard.cli;

import dev.reshard.control.LeaseLostException;
import dev.reshard.control.MigrationState;
import dev.reshard.spec.Spec;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
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
    try (Wiring wiring = new Wiring(spec)) {
      if (wiring.isCleaned()) {
        out.println("migration %s is CLEANED: nothing is left to do".formatted(spec.migration()));
        return ExitCode.DONE.code();
      }
      if (wiring.isNew() && wiring.plan().isEmpty()) {
        out.println(wiring.plan().summary());
        return ExitCode.DONE.code();
      }
      while (true) {
        try (RunningWorker worker = standby ? wiring.standby() : wiring.worker()) {
          return work(worker, spec, out);
        } catch (LeaseLostException e) {
          if (!standby) {
            throw e;
          }
          out.println(e.getMessage() + "; it stands by again");
        }
      }
    }
  }

  private int work(RunningWorker worker, Spec spec, PrintWriter out) throws Exception {
    Thread hook = new Thread(worker::stop, "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      MigrationState state = worker.run(until);
      out.println("migration %s is %s".formatted(spec.migration(), state));
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
