package dev.reshard.change;

/** A change topic cannot be written or read on; says by name why. */
public final class ChangeException extends RuntimeException {

  /** What happened. */
  public enum Reason {
    /** A transaction that was published before is not in the topic: changes are missing. */
    GAP,
    /** A transaction's chunks do not add up to what its last one says. */
    CORRUPT,
    /** A record is not of this version, or no chunk at all. */
    UNREADABLE,
    /** The source is another cluster, or on another timeline, than before. */
    OTHER_SERVER,
    /** The topic no longer holds the records from the reader's position on. */
    RECORDS_GONE,
    /** Kafka did not take a record. */
    NOT_SENT
  }

  private final Reason reason;

  public ChangeException(Reason reason, String message) {
    this(reason, message, null);
  }

  public ChangeException(Reason reason, String message, Throwable cause) {
    super(reason + ": " + message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
