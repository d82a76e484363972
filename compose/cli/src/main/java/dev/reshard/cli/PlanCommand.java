package dev.reshard.cli;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.plan.Plan;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
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
  /** So many runs of buckets fit on a screen. */
  private static final int RUNS = 20;

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
                    move.source(),
                    move.destination(),
                    move.buckets().size(),
                    shown(move.buckets())));
      }
      return ExitCode.DONE.code();
    }
  }

  /** Of {@code 3, 5, 7, 9, 11} the first two and the last; of many such runs the first few. */
  static String shown(BucketSet buckets) {
    int[] all = buckets.stream().toArray();
    List<String> runs = new ArrayList<>();
    for (int from = 0; from < all.length; ) {
      int to = endOfRun(all, from);
      runs.add(
          to == from
              ? "" + all[from]
              : all[from + 1] == all[from] + 1
                  ? all[from] + "-" + all[to]
                  : "%d, %d, .. %d".formatted(all[from], all[from + 1], all[to]));
      from = to + 1;
    }
    if (runs.size() <= RUNS) {
      return runs.toString();
    }
    return "[%s and more]".formatted(String.join(", ", runs.subList(0, RUNS)));
  }

  /** The last of those that follow at the same distance; less than four that are apart are none. */
  private static int endOfRun(int[] all, int from) {
    int to = from;
    while (to + 1 < all.length && all[to + 1] - all[to] == all[from + 1] - all[from]) {
      to++;
    }
    boolean isRun = to > from && (all[from + 1] == all[from] + 1 || to - from >= 3);
    return isRun ? to : from;
  }
}
