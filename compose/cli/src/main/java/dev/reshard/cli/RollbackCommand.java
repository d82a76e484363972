package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import java.time.Duration;
import picocli.CommandLine.Command;

/** {@code reshard rollback}. */
@Command(
    name = "rollback",
    description = "Hands the buckets back; no write is lost.",
    mixinStandardHelpOptions = true)
final class RollbackCommand extends NamedRequestCommand {
  RollbackCommand() {
    super(Requests.Command.ROLLBACK, Duration.ofSeconds(60));
  }

  @Override
  String warning(MigrationState state) {
    return "";
  }
}
