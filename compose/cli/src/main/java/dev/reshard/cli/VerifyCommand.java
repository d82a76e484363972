package dev.reshard.cli;

import dev.reshard.control.Requests;
import java.time.Duration;
import picocli.CommandLine.Command;

/** {@code reshard verify}. */
@Command(
    name = "verify",
    description = "Compares every moved row, every column, on both sides.",
    mixinStandardHelpOptions = true)
final class VerifyCommand extends MaybeNamedRequestCommand {
  VerifyCommand() {
    super(Requests.Command.VERIFY, Duration.ofHours(1));
  }
}
