package dev.reshard.cli;

import dev.reshard.control.Requests;
import java.time.Duration;
import picocli.CommandLine.Command;

/** {@code reshard resume}. */
@Command(name = "resume", description = "Ends a pause.", mixinStandardHelpOptions = true)
final class ResumeCommand extends MaybeNamedRequestCommand {
  ResumeCommand() {
    super(Requests.Command.RESUME, Duration.ofSeconds(60));
  }
}
