package dev.reshard.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code reshard topics}. */
@Command(
    name = "topics",
    description = "Shows the migration's topics, and what is in them.",
    mixinStandardHelpOptions = true,
    subcommands = {TopicsListCommand.class, TopicsTailCommand.class})
final class TopicsCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec self;

  @Override
  public void run() {
    self.commandLine().usage(self.commandLine().getOut());
  }
}
