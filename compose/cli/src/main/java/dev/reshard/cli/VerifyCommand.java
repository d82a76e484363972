package dev.reshard.cli;

import dev.reshard.control.Requests;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code reshard verify}. */
@Command(
    name = "verify",
    description = "Compares every moved row, every column, on both sides.",
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "3600",
      description = "how long to wait for the end (default: ${DEFAULT-VALUE})")
  private long timeout;

  @Override
  public Integer call() throws Exception {
    return Asking.ask(
        file.read(),
        Requests.Command.VERIFY,
        Duration.ofSeconds(timeout),
        self.commandLine().getOut());
  }
}
