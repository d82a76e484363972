package dev.reshard.cli;

import dev.reshard.control.Requests;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code reshard rollback}. */
@Command(
    name = "rollback",
    description = "Gives the buckets back to their old owners; nothing is lost.",
    mixinStandardHelpOptions = true)
final class RollbackCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Parameters(paramLabel = "NAME", description = "the migration, as in the file")
  private String name;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "how long to wait for the end (default: ${DEFAULT-VALUE})")
  private long timeout;

  @Override
  public Integer call() throws Exception {
    return Asking.ask(
        file.read(name),
        Requests.Command.ROLLBACK,
        Duration.ofSeconds(timeout),
        self.commandLine().getOut());
  }
}
