package dev.reshard.demo;

import dev.reshard.cli.ExitCode;
import dev.reshard.cli.Logging;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code reshard demo}: the product on servers of its own, with clients that count every write. */
@Command(
    name = "demo",
    description = "Shows the whole thing on real servers that it starts itself.",
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {
  private static final Pattern SHARDS = Pattern.compile("([1-8]):([1-8])");

  /** With fewer there are not enough moved rows for some hundred dual reads in good time. */
  private static final long FEWEST_ROWS = 20_000;

  private static final int FEWEST_TPS = 8;

  @CommandLine.Spec private CommandSpec self;

  @Option(
      names = "--rows",
      defaultValue = "300000",
      description = "rows to load, 20000 at least (${DEFAULT-VALUE})")
  private long rows;

  @Option(
      names = "--tps",
      defaultValue = "300",
      description = "write transactions a second of all clients (${DEFAULT-VALUE})")
  private int tps;

  @Option(
      names = "--shards",
      paramLabel = "FROM:TO",
      defaultValue = "2:3",
      description = "how many shards become how many (${DEFAULT-VALUE})")
  private String shards;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      defaultValue = "report.json",
      description = "where the figures go (${DEFAULT-VALUE})")
  private Path report;

  @Option(names = "--keep", description = "leave the servers and demo/ until Ctrl-C")
  private boolean keep;

  @Override
  public Integer call() throws Exception {
    Matcher wanted = SHARDS.matcher(shards);
    if (!wanted.matches() || wanted.group(1).equals(wanted.group(2))) {
      throw new ParameterException(
          self.commandLine(), "--shards must be FROM:TO, two different numbers of 1 to 8");
    }
    if (rows < FEWEST_ROWS || tps < FEWEST_TPS) {
      throw new ParameterException(
          self.commandLine(),
          "--rows must be at least %d and --tps at least %d".formatted(FEWEST_ROWS, FEWEST_TPS));
    }
    PrintWriter err = self.commandLine().getErr();
    try {
      DemoReport.tryPath(report);
    } catch (IOException e) {
      err.println("--report %s: cannot be written (%s); nothing was started".formatted(report, e));
      return ExitCode.USAGE.code();
    }
    DemoOptions options =
        new DemoOptions(
            rows,
            tps,
            Integer.parseInt(wanted.group(1)),
            Integer.parseInt(wanted.group(2)),
            report,
            keep);
    Logging.toFile();
    DemoScreen screen = new DemoScreen(self.commandLine().getOut());
    try {
      boolean clean = new Demo(options, screen).run();
      return (clean ? ExitCode.DONE : ExitCode.DIFFERENCE).code();
    } catch (DemoStoppedException e) {
      if (!screen.isEnded()) {
        err.println(e.getMessage());
      }
      return ExitCode.UNEXPECTED.code();
    } catch (Exception e) {
      if (screen.isEnded()) { // the process is ending, and its servers are gone
        return ExitCode.UNEXPECTED.code();
      }
      throw e;
    }
  }
}
