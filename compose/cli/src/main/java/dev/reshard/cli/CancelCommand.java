package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import java.time.Duration;
import picocli.CommandLine.Command;

/** {@code reshard cancel}. */
@Command(
    name = "cancel",
    description = "Removes everything the migration made; only while no bucket has moved.",
    mixinStandardHelpOptions = true)
final class CancelCommand extends NamedRequestCommand {
  CancelCommand() {
    super(Requests.Command.CANCEL, Duration.ofHours(1));
  }

  @Override
  String warning(MigrationState state) {
    return "this deletes what was copied and removes all that was made.";
  }
}
