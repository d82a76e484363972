package dev.reshard.cli;

import dev.reshard.keyspace.Move;
import dev.reshard.plan.Plan;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

/** {@code reshard plan}. */
@Command(
    name = "plan",
    description = "Prints which buckets would move; changes nothing.",
    mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = self.commandLine().getOut();
    try (Wiring wiring = file.open()) {
      Plan plan = wiring.plan();
      out.println(plan.summary());
      for (Move move : plan.moves().all()) {
        out.println(
            "  %s > %s  %d buckets %s"
                .formatted(
                    move.source(), move.destination(), move.buckets().size(), move.buckets()));
      }
      return ExitCode.DONE.code();
    }
  }
}
