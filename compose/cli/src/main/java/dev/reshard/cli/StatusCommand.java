package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code reshard status}. */
@Command(
    name = "status",
    description = "Where we are, what blocks, what to do next.",
    mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
  private static final long EVERY_MS = 1_000;

  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Option(names = "--json", description = "everything, as one JSON object on one line")
  private boolean json;

  @Option(names = "--watch", description = "draw it again every second until Ctrl-C")
  private boolean watch;

  @Override
  public Integer call() throws Exception {
    try (Wiring wiring = file.open();
        StatusReader reader = new StatusReader(wiring, file.options())) {
      if (watch) {
        watch(reader, wiring.spec().control().name());
      } else {
        lines(reader).forEach(self.commandLine().getOut()::println);
      }
      return ExitCode.DONE.code();
    }
  }

  private List<String> lines(StatusReader reader)
      throws SQLException, InterruptedException, JsonProcessingException {
    StatusFacts facts = reader.read();
    return json ? List.of(StatusJson.of(facts)) : StatusView.lines(facts, ZoneId.systemDefault());
  }

  /** Ends with the process, or with an interrupt. */
  private void watch(StatusReader reader, String control)
      throws JsonProcessingException, SQLException {
    Screen screen = new Screen(self.commandLine().getOut(), !json && Screen.isTerminal());
    try {
      while (true) {
        try {
          screen.draw(lines(reader));
        } catch (SQLException e) {
          if (json) {
            throw e;
          }
          screen.draw(
              List.of(
                  "%s  the control database, shard %s, does not answer: %s"
                      .formatted(
                          LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS),
                          control,
                          e.getMessage()),
                  "Nothing is known meanwhile; a cutover under way ends or is recovered without this screen. It is asked again every second."));
        }
        Thread.sleep(EVERY_MS); // the next look
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Draws lines over each other in a terminal, below each other elsewhere. */
  private record Screen(PrintWriter out, boolean terminal) {
    private static final String TO_TOP = "\u001b[H";
    private static final String CLEAR_LINE = "\u001b[K";
    private static final String CLEAR_BELOW = "\u001b[J";

    /** The launcher looks: a JVM from 22 on cannot tell by its console. */
    static boolean isTerminal() {
      return Boolean.getBoolean("reshard.terminal");
    }

    void draw(List<String> lines) {
      if (terminal) {
        out.print(TO_TOP);
        lines.forEach(line -> out.print(line + CLEAR_LINE + "\n"));
        out.print(CLEAR_BELOW);
      } else {
        lines.forEach(out::println);
      }
      out.flush();
    }
  }
}
