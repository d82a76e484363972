package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import java.time.Duration;
import picocli.CommandLine.Command;

/** {@code reshard cutover}. */
@Command(
    name = "cutover",
    description = "Hands the buckets over to their new owners.",
    mixinStandardHelpOptions = true)
final class CutoverCommand extends NamedRequestCommand {
  CutoverCommand() {
    super(Requests.Command.CUTOVER, Duration.ofSeconds(60));
  }

  @Override
  String warning(MigrationState state) {
    return "";
  }
}
