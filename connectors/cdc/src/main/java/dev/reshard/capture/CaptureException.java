package dev.reshard.capture;

/**
 * Capture cannot go on, and starting again would meet the same: an operator has to act. Says by
 * name why; never holds a row's values.
 */
public final class CaptureException extends RuntimeException {

  /** What happened. */
  public enum Reason {
    /** There is no such replication slot. */
    SLOT_MISSING,
    /** The WAL that the slot needs is gone. */
    SLOT_LOST,
    /** There is no such publication. */
    PUBLICATION_MISSING,
    /** A table was published that the keyspace does not know. */
    UNKNOWN_TABLE,
    /** A table's replica identity does not contain the shard key (HAZARDS F1). */
    IDENTITY_LACKS_SHARD_KEY,
    /** A table has no such column any more. */
    SHARD_KEY_MISSING,
    /** A shard key's value has no bucket. */
    UNPLACEABLE_KEY,
    /** Our marker stands in the middle of a transaction (HAZARDS F15). */
    MARKER_NOT_FIRST,
    /** A row that changed buckets came without a value that was stored out of line (F9). */
    VALUES_MISSING,
    /** A message of a guard's trigger, or of the server, cannot be read. */
    UNREADABLE,
    /** A row, or what one statement makes capture hold, does not fit into memory. */
    ROW_TOO_LARGE;

    /** Whether the replication slot cannot give any more what it owes. */
    boolean isSlotGone() {
      return this == SLOT_MISSING || this == SLOT_LOST;
    }
  }

  private final Reason reason;

  public CaptureException(Reason reason, String message) {
    this(reason, message, null);
  }

  public CaptureException(Reason reason, String message, Throwable cause) {
    super(reason + ": " + message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
