package dev.reshard;

import dev.reshard.bench.BenchCommand;
import dev.reshard.cli.Main;
import dev.reshard.demo.DemoCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/** Entry of {@code reshard}: the product's commands, the demo and the measurements of them. */
public final class Reshard {
  private Reshard() {}

  public static void main(String[] words) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    System.exit(
        Main.commandLine(out)
            .addSubcommand(new DemoCommand())
            .addSubcommand(new BenchCommand())
            .execute(words));
  }
}
