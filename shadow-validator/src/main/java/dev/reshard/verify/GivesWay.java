package dev.reshard.verify;

import dev.reshard.control.Requests;
import dev.reshard.control.Requests.Command;
import dev.reshard.throttle.Throttle;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a verification ends as its throttle is paused, and somebody waits for the worker to do
 * something else: nobody knows for how long a pause lasts, and a cutover is not to wait for it.
 * Asks the control database once a second at most. Thread-safe.
 */
final class GivesWay implements BooleanSupplier {
  private static final Logger log = LoggerFactory.getLogger(GivesWay.class);
  private static final long LOOK_NANOS = 1_000_000_000L;
  private static final Set<Command> OTHERS = EnumSet.complementOf(EnumSet.of(Command.VERIFY));

  private final Requests requests;
  private final Throttle throttle;
  private long lookedNanos = System.nanoTime() - LOOK_NANOS;
  private boolean asked;

  GivesWay(Requests requests, Throttle throttle) {
    this.requests = requests;
    this.throttle = throttle;
  }

  /** Once true it stays so. */
  @Override
  public synchronized boolean getAsBoolean() {
    if (!asked && throttle.isPaused() && System.nanoTime() - lookedNanos >= LOOK_NANOS) {
      lookedNanos = System.nanoTime();
      try {
        asked = requests.next(OTHERS).isPresent();
      } catch (SQLException e) {
        log.debug("nobody knows what is asked", e);
      }
    }
    return asked;
  }
}
