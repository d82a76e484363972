package dev.reshard.cli;

import dev.reshard.control.LeaseLostException;
import dev.reshard.control.RefusedException;
import dev.reshard.copy.CopyException;
import dev.reshard.spec.SpecException;
import java.io.PrintWriter;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The product's commands. */
@Command(
    name = "reshard",
    mixinStandardHelpOptions = true,
    version = "reshard 0.1",
    description = "Moves live data between PostgreSQL shards.",
    subcommands = {
      InitCommand.class,
      CheckCommand.class,
      PlanCommand.class,
      RunCommand.class,
      StatusCommand.class,
      RouteCommand.class,
      TopicsCommand.class,
      PauseCommand.class,
      ResumeCommand.class,
      VerifyCommand.class,
      CutoverCommand.class,
      RollbackCommand.class,
      CompleteCommand.class,
      CancelCommand.class
    })
public final class Main implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(Main.class);

  @CommandLine.Spec private CommandLine.Model.CommandSpec self;

  /**
   * Runs one command line.
   *
   * @param out where its lines go; errors for people go to standard error
   * @return the exit code
   */
  public static int run(PrintWriter out, String... words) {
    return commandLine(out).execute(words);
  }

  /** All commands, to be executed, or added to. */
  public static CommandLine commandLine(PrintWriter out) {
    CommandLine line = new CommandLine(new Main());
    line.setOut(out);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler((e, command, parsed) -> explain(e, command));
    return line;
  }

  private static int explain(Exception e, CommandLine command) {
    PrintWriter err = command.getErr();
    if (e instanceof SpecException) {
      err.println(e.getMessage());
      return ExitCode.USAGE.code();
    }
    if (e instanceof RefusedException
        || e instanceof LeaseLostException
        || e instanceof CopyException) {
      err.println("refused: " + e.getMessage());
      return ExitCode.REFUSED.code();
    }
    log.error("unexpected", e);
    err.println(
        (e instanceof SQLException sql
                ? "database error (SQLSTATE " + sql.getSQLState() + "): "
                : "unexpected: ")
            + e.getMessage()
            + "; details are in the log file");
    return ExitCode.UNEXPECTED.code();
  }

  /** Without a command: the list of commands. */
  @Override
  public void run() {
    self.commandLine().usage(self.commandLine().getOut());
  }
}
