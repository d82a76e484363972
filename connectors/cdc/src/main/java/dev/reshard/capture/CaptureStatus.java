package dev.reshard.capture;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ReplicationSlots.Slot;
import java.time.Instant;
import java.util.Optional;

/**
 * What capture of one shard does. Immutable.
 *
 * @param reason why it is in this state, for the status line; empty while all is well
 * @param problem why it gave up; only in {@code FAILED}
 * @param incarnation the number of the last start; 0 before the first
 * @param published end of the last transaction that is in the topic as a whole; at the start of an
 *     incarnation the slot's confirmed position
 * @param publishedAt when Kafka acknowledged it; empty before the first one of an incarnation
 * @param slot the replication slot as it was about a second ago; empty if nobody has looked yet
 */
public record CaptureStatus(
    State state,
    String reason,
    Optional<CaptureException.Reason> problem,
    long incarnation,
    Lsn published,
    Optional<Instant> publishedAt,
    Optional<Slot> slot) {

  /** Whether the replication slot cannot give any more what it owes. */
  public boolean isSlotGone() {
    return problem.filter(CaptureException.Reason::isSlotGone).isPresent();
  }

  /** Whether a change did not fit into memory. */
  public boolean isRowTooLarge() {
    return problem.filter(is -> is == CaptureException.Reason.ROW_TOO_LARGE).isPresent();
  }

  /** What it does. */
  public enum State {
    /** Not started yet. */
    IDLE,
    /** An engine is on its way up. */
    STARTING,
    /** Changes are streamed. */
    STREAMING,
    /** An incarnation failed; the next one begins shortly. */
    RESTARTING,
    /** It gave up: an operator has to act. */
    FAILED,
    /** It was closed. */
    CLOSED
  }
}
