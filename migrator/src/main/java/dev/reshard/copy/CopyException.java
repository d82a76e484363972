package dev.reshard.copy;

/** A copy that cannot go on until an operator has acted; the message says what happened and how. */
public final class CopyException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What is in the way. */
  public enum Reason {
    /** The destination lacks the table, or its columns differ from the source's. */
    TABLES_DIFFER,
    /** The destination has rows of the moving buckets that this migration did not load. */
    DESTINATION_NOT_EMPTY,
    /** A row that was loaded meets another one under a unique key. */
    UNIQUE_CONFLICT,
    /** The destination holds chunks of another anchor. */
    OTHER_ANCHOR,
    /** A table was rewritten or altered, or its partitions changed, after the anchor. */
    CATALOG_CHANGED,
    /** The session that held the anchor's snapshot has ended. */
    SNAPSHOT_GONE,
    /** A row does not fit into memory. */
    ROW_TOO_LARGE,
    /** A server refused what will not pass by itself. */
    SERVER_FAILED
  }

  private final Reason reason;

  CopyException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  CopyException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
