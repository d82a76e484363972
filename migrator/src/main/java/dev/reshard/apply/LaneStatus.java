package dev.reshard.apply;

import java.time.Duration;
import java.util.Optional;

/**
 * Where a lane stands, for people and for gates. Immutable.
 *
 * @param applied the last position that is committed
 * @param durable the last position that no crash of the destination can undo
 * @param lag from the commit of the last applied transaction until now, both by the source's clock:
 *     with a heartbeat a second an idle lane shows up to a second; empty before the first one
 * @param rows changed since the lane was started
 * @param reason why it is retrying or has stopped, word for word
 */
public record LaneStatus(
    State state,
    LanePosition applied,
    LanePosition durable,
    Optional<Duration> lag,
    long rows,
    Optional<String> reason) {

  /** Whether only a new lane goes on from here, once the reason is mended. */
  public boolean isStopped() {
    return state == State.STOPPED;
  }

  /** What the lane does. */
  public enum State {
    NEW,
    RUNNING,
    /** Its last batch failed for a reason that may pass. */
    RETRYING,
    HELD,
    /** It will not go on by itself. */
    STOPPED,
    CLOSED
  }
}
