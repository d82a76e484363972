package dev.reshard.cli;

import dev.reshard.control.ControlStore;
import dev.reshard.control.ControlStore.Transition;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Prints a line for each change of a migration's state, soon after it, as the transition log tells
 * it. Thread-safe.
 */
final class StateLines implements AutoCloseable {
  private static final long EVERY_MS = 250;

  /** More changes than between two looks. */
  private static final int NEWEST = 20;

  private final ControlStore control;
  private final PrintWriter out;
  private final ScheduledExecutorService looks =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "states");
            thread.setDaemon(true);
            return thread;
          });
  private Instant last;

  private StateLines(ControlStore control, PrintWriter out, Instant last) {
    this.control = control;
    this.out = out;
    this.last = last;
  }

  /** From now on; what was before is not told. */
  @SuppressWarnings("FutureReturnValueIgnored") // a look that fails is made again
  static StateLines begin(ControlStore control, PrintWriter out) throws SQLException {
    Instant last =
        control.transitions(1).stream().findFirst().map(Transition::at).orElse(Instant.MIN);
    StateLines lines = new StateLines(control, out, last);
    lines.looks.scheduleWithFixedDelay(lines::look, EVERY_MS, EVERY_MS, TimeUnit.MILLISECONDS);
    return lines;
  }

  private synchronized void look() {
    try {
      List<Transition> newest = control.transitions(NEWEST);
      for (int i = newest.size() - 1; i >= 0; i--) {
        Transition transition = newest.get(i);
        if (transition.at().isAfter(last)) {
          last = transition.at();
          out.println(
              "%s  %s > %s  %s (%s)"
                  .formatted(
                      Quantity.time(last, last, ZoneId.systemDefault()),
                      transition.from(),
                      transition.to(),
                      transition.why(),
                      transition.who()));
        }
      }
    } catch (SQLException | RuntimeException e) {
      // the worker says what is wrong; the next look tells what was missed
    }
  }

  /** Tells what is still to be told. Idempotent. */
  @Override
  public void close() {
    if (!looks.isShutdown()) {
      looks.shutdown();
      look();
    }
  }
}
