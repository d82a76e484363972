package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import dev.reshard.spec.Durations;
import dev.reshard.spec.Spec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** A command that asks the worker for something and waits for the end, unless told not to. */
abstract class RequestCommand implements Callable<Integer> {

  /** So that {@code 60s} and {@code 2h} are read as in the migration file. */
  static final class TimeConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        return Durations.parse(text);
      } catch (IllegalArgumentException e) {
        throw new CommandLine.TypeConversionException(e.getMessage());
      }
    }
  }

  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = TimeConverter.class,
      description =
          "how long to wait for the end, e.g. 60s or 2h (default: 60s; verify, complete, cancel: 1h)")
  private Duration timeout;

  @Option(names = "--no-wait", description = "ask and return at once; see 'reshard status'")
  private boolean noWait;

  private final Requests.Command command;
  private final Duration patience;

  /**
   * One of the commands.
   *
   * @param patience how long to wait if nobody says otherwise
   */
  RequestCommand(Requests.Command command, Duration patience) {
    this.command = command;
    this.patience = patience;
  }

  /** The file, once it is sure that it is the one that is meant. */
  Spec read(MigrationFile file) {
    return file.read();
  }

  /** What the worker is told beside the command. */
  String argument() {
    return "";
  }

  /** What a person at a terminal has to say yes to in that state; empty: nothing. */
  String question(MigrationState state) {
    return "";
  }

  @Override
  public final Integer call() throws Exception {
    Spec spec = read(file);
    Duration wait = noWait ? Duration.ZERO : timeout == null ? patience : timeout;
    PrintWriter out = self.commandLine().getOut();
    int exitCode = Asking.ask(file.open(spec), command, argument(), wait, this::isSure, out);
    if (Asking.ENDING.contains(command)
        && exitCode == ExitCode.DONE.code()
        && spec.embedsKafka()
        && !noWait) {
      out.println(file.rehearsalKafka().farewell());
    }
    return exitCode;
  }

  /** A script has nobody to ask; the name of the migration in its command line stands for it. */
  private boolean isSure(MigrationState state) throws IOException {
    String question = question(state);
    if (question.isEmpty() || !Boolean.getBoolean("reshard.terminal")) {
      return true;
    }
    PrintWriter out = self.commandLine().getOut();
    out.printf("%s Type yes to go on: ", question);
    out.flush();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String answer = in.readLine();
    if (answer == null) {
      out.println(); // nobody ended the line
    }
    return "yes".equals(answer);
  }
}
