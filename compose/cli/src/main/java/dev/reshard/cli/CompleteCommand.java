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

/** {@code reshard complete}. */
@Command(
    name = "complete",
    description = "Ends the way back: purges moved rows and removes what was made.",
    mixinStandardHelpOptions = true)
final class CompleteCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Parameters(paramLabel = "NAME", description = "the migration, as in the file")
  private String name;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "3600",
      description = "how long to wait for the end (default: ${DEFAULT-VALUE})")
  private long timeout;

  @Override
  public Integer call() throws Exception {
    return Asking.ask(
        file.read(name),
        Requests.Command.COMPLETE,
        Duration.ofSeconds(timeout),
        self.commandLine().getOut());
  }
}
