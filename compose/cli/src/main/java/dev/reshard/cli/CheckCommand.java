package dev.reshard.cli;

import dev.reshard.preflight.Preflight;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

/** {@code reshard check}. */
@Command(
    name = "check",
    description = "Looks at everything a migration needs; changes nothing.",
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Override
  public Integer call() throws Exception {
    try (Wiring wiring = new Wiring(file.read())) {
      Preflight.Result result = Preflight.run(wiring.checks());
      result.lines().forEach(self.commandLine().getOut()::println);
      return (result.blocked() ? ExitCode.BLOCKED : ExitCode.DONE).code();
    }
  }
}
