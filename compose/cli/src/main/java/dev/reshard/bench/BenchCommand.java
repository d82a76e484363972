package dev.reshard.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code reshard bench}: measures the product on the table that its peers are measured on. */
@Command(
    name = "bench",
    description = {
      "Measures Reshard on servers that it starts itself, or on two given ones.",
      "The last line of output is one JSON object."
    },
    mixinStandardHelpOptions = true,
    subcommands = {
      CopyBench.class,
      DrainBench.class,
      LatencyBench.class,
      VerifyBench.class,
      ForegroundBench.class
    })
public final class BenchCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec self;

  /** Without a subcommand: the list of them. */
  @Override
  public void run() {
    self.commandLine().usage(self.commandLine().getOut());
  }
}
