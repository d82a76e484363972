package dev.reshard.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

/** {@code reshard status}. */
@Command(
    name = "status",
    description = "Where we are, what blocks, what to do next.",
    mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Override
  public Integer call() throws Exception {
    try (Wiring wiring = new Wiring(file.read())) {
      new StatusView(wiring).lines().forEach(self.commandLine().getOut()::println);
      return ExitCode.DONE.code();
    }
  }
}
