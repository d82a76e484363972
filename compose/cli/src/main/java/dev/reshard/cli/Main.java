package dev.reshard.cli;

import dev.reshard.cli.RehearsalKafka.NoBrokerException;
import dev.reshard.control.LeaseLostException;
import dev.reshard.control.RefusedException;
import dev.reshard.copy.CopyException;
import dev.reshard.preflight.Clause;
import dev.reshard.spec.Near;
import dev.reshard.spec.SpecException;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

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
      ThrottleCommand.class,
      VerifyCommand.class,
      CutoverCommand.class,
      RollbackCommand.class,
      CompleteCommand.class,
      CancelCommand.class
    })
public final class Main implements Runnable {
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

  /**
   * The same.
   *
   * @param err where errors for people go
   */
  public static int run(PrintWriter out, PrintWriter err, String... words) {
    return commandLine(out).setErr(err).execute(words);
  }

  /** All commands, to be executed, or added to. */
  public static CommandLine commandLine(PrintWriter out) {
    CommandLine line = new CommandLine(new Main());
    line.setOut(out);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler((e, command, parsed) -> explain(e, command));
    line.setParameterExceptionHandler((e, words) -> refuse(e));
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
    if (e instanceof UnreachableException) {
      err.println(e.getMessage());
      return ExitCode.USAGE.code();
    }
    if (e instanceof NoBrokerException) {
      err.println(e.getMessage());
      return ExitCode.NO_WORKER.code();
    }
    Logging.toFile();
    LoggerFactory.getLogger(Main.class).error("unexpected", e);
    err.println(
        (e instanceof SQLException sql
                ? "database error (SQLSTATE " + sql.getSQLState() + "): "
                : "unexpected: ")
            + Clause.of(e.getMessage())
            + "; details are in "
            + Logging.file());
    return ExitCode.UNEXPECTED.code();
  }

  /** What is wrong with the words, and the word that was meant if one is near. */
  private static int refuse(ParameterException e) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println(e.getMessage());
    String name = command.getCommandSpec().qualifiedName();
    List<String> known = new ArrayList<>(command.getSubcommands().keySet());
    command.getCommandSpec().options().forEach(option -> known.addAll(List.of(option.names())));
    if (e instanceof UnmatchedArgumentException unmatched) {
      unmatched.getUnmatched().stream()
          .findFirst()
          .flatMap(word -> Near.of(word, known))
          .ifPresent(near -> err.println("did you mean '%s %s'?".formatted(name, near)));
    }
    err.println("see '%s --help'".formatted(name));
    return ExitCode.USAGE.code();
  }

  /** Without a command: the list of commands. */
  @Override
  public void run() {
    self.commandLine().usage(self.commandLine().getOut());
  }
}
