package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import dev.reshard.finish.CleanUpOptions;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code reshard complete}. */
@Command(
    name = "complete",
    description = "Ends the way back: purges moved rows and removes what was made.",
    mixinStandardHelpOptions = true)
final class CompleteCommand extends NamedRequestCommand {
  @Option(names = "--keep-source", description = "leave the moved rows where they were")
  private boolean keepSource;

  @Option(
      names = "--drop-fences",
      description = "take the sealed guards away too: late writers are no longer refused")
  private boolean dropFences;

  CompleteCommand() {
    super(Requests.Command.COMPLETE, Duration.ofHours(1));
  }

  @Override
  String argument() {
    return new CleanUpOptions(keepSource, dropFences).text();
  }

  @Override
  String warning(MigrationState state) {
    if (state == MigrationState.ROLLED_BACK) {
      return "nothing has moved; this gives up, and deletes what was copied.";
    }
    return keepSource
        ? "this ends the way back."
        : "this ends the way back and deletes moved rows where they were.";
  }
}
