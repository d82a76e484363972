package dev.reshard.cli;

import dev.reshard.control.Requests;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code reshard pause}. */
@Command(
    name = "pause",
    description = "Stops the worker's work on the shards until resume; the worker lives on.",
    mixinStandardHelpOptions = true)
final class PauseCommand extends MaybeNamedRequestCommand {
  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "stands in the transition log and in the status")
  private String reason = "";

  PauseCommand() {
    super(Requests.Command.PAUSE, Duration.ofSeconds(60));
  }

  @Override
  String argument() {
    return reason;
  }
}
