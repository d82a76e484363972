package dev.reshard.cli;

import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import dev.reshard.control.Requests.Answer;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.WorkerLease;
import dev.reshard.spec.Spec;
import java.io.IOException;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.EnumSet;
import java.util.Set;

/** Puts an operator's request to the worker and prints the answer as it comes. Stateless. */
final class Asking {
  private static final long POLL_MS = 50;

  /** After the worker died there may be another one, which carries out what was asked. */
  private static final Duration WITHOUT_WORKER = Duration.ofSeconds(30);

  /** After them nothing is left. */
  static final Set<Command> ENDING = EnumSet.of(Command.COMPLETE, Command.CANCEL);

  /** They move no row: no file keeps them from being asked for. */
  private static final Set<Command> HARMLESS = EnumSet.of(Command.PAUSE, Command.CANCEL);

  /** How long a request is good that nobody waits for. */
  private static final Duration UNWATCHED = Duration.ofMinutes(1);

  /** Enough to see how a migration ended. */
  private static final int TRANSITIONS = 20;

  private Asking() {}

  /** Whether a person means it, now that the state is known. */
  @FunctionalInterface
  interface Sure {
    boolean isSure(MigrationState state) throws IOException;
  }

  /**
   * Asks, and waits for the end.
   *
   * @param opened is closed in the end
   * @param timeout zero: only asks
   * @param sure is asked once nothing else stands in the way
   */
  static int ask(
      Wiring opened, Command command, String argument, Duration timeout, Sure sure, PrintWriter out)
      throws SQLException, IOException, InterruptedException {
    Spec spec = opened.spec();
    try (Wiring wiring = opened;
        WorkerLease lease = new WorkerLease(wiring.sessions(), spec.control(), spec.migration())) {
      ControlStore control = wiring.control();
      if (wiring.isNew()) {
        out.println(
            "there is no migration %s yet; start 'reshard run'".formatted(spec.migration()));
        return ExitCode.REFUSED.code();
      }
      MigrationState state = control.state();
      if (state == MigrationState.CLEANED) {
        Ended ended =
            Ended.of(
                command,
                spec.migration(),
                control.transitions(TRANSITIONS),
                Instant.now(),
                ZoneId.systemDefault());
        out.println(ended.text());
        return ended.exitCode().code();
      }
      if (!HARMLESS.contains(command)) {
        wiring.planning().requireLeftOut();
      }
      if (lease.holder().isEmpty()) {
        out.println("no worker is alive, so nothing was asked; start 'reshard run'");
        return ExitCode.NO_WORKER.code();
      }
      if (!sure.isSure(state)) {
        out.println("not confirmed: nothing was asked of the worker, nothing is changed");
        return ExitCode.REFUSED.code();
      }
      Requests requests = control.requests();
      if (timeout.isZero()) {
        requests.ask(command, argument, Wiring.who(), UNWATCHED);
        out.println("asked; see 'reshard status'");
        return ExitCode.DONE.code();
      }
      long id = requests.ask(command, argument, Wiring.who(), timeout);
      long deadline = System.nanoTime() + timeout.toNanos();
      long seen = System.nanoTime();
      int printed = 0;
      while (true) {
        Answer answer = requests.read(id);
        for (; printed < answer.lines().size(); printed++) {
          out.println(answer.lines().get(printed));
        }
        if (answer.exitCode().isPresent()) {
          return answer.exitCode().get();
        }
        if (System.nanoTime() > deadline) {
          return late(requests, id, timeout, printed > 0, out);
        }
        if (lease.holder().isPresent()) {
          seen = System.nanoTime();
        } else if (ENDING.contains(command)
            && control.state() == MigrationState.CLEANED
            && requests.read(id).exitCode().isEmpty()) {
          out.println("the worker that was asked has ended; another one has finished it");
          return ExitCode.DONE.code();
        } else if (System.nanoTime() - seen > WITHOUT_WORKER.toNanos()) {
          out.println(
              "no worker is alive any more; start 'reshard run', which goes on from where it was, then ask again");
          return ExitCode.UNFINISHED.code();
        }
        Thread.sleep(POLL_MS); // between two looks at the answer
      }
    }
  }

  private static int late(
      Requests requests, long id, Duration timeout, boolean begun, PrintWriter out)
      throws SQLException {
    if (requests.withdraw(id)) {
      out.println(
          "the worker was busy for %d s and has not begun; the request is withdrawn, nothing was changed. See 'reshard status'"
              .formatted(timeout.toSeconds()));
      return ExitCode.GAVE_UP.code();
    }
    out.println(
        "no final answer after %d s%s; see 'reshard status', then run the same command again"
            .formatted(timeout.toSeconds(), begun ? ", though it has begun" : ""));
    return ExitCode.UNFINISHED.code();
  }
}
