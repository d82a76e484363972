package dev.reshard.apply;

/**
 * Why a lane stopped. What it applied before is committed; the transaction that is named, and all
 * after it, are not applied.
 */
public final class LaneException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** The kinds of reasons. */
  public enum Problem {
    /** An UPDATE or DELETE did not find exactly its row: the copy is not what the source was. */
    ROW_NOT_FOUND,
    /** A unique or exclusion constraint of the destination stands against a row. */
    CONFLICT,
    /** The destination refuses a value or a statement for another reason. */
    REFUSED,
    /** A change of a bucket that has left the source (HAZARDS F14). */
    MUTED_BUCKET,
    /** A row entered the lane's buckets without all its values (HAZARDS F9). */
    ROW_NOT_WHOLE,
    /** A table is not the same on both sides. */
    TABLE_DIFFERS,
    /** The changes contradict each other: this is a bug. */
    INCONSISTENT,
    /** Transactions are missing before the one that came. */
    GAP,
    /** Another worker has the lease. */
    LEASE_LOST,
    /** Somebody else moved this lane's progress. */
    OVERTAKEN,
    /** The destination could not be reached or written for too long. */
    DESTINATION_FAILED,
    /** The source is another cluster, or on another timeline, than the lane's position. */
    OTHER_SERVER,
    /** The changes could not be read. */
    SOURCE_FAILED,
    /** It broke where nothing should: a bug, or no memory. Nothing is wrong with the rows. */
    FAILED,
    /** The lane was closed while somebody waited for it. */
    CLOSED
  }

  private final Problem problem;

  /** A message for an operator: what happened, where, what is unsafe now, what to do. */
  public LaneException(Problem problem, String message) {
    super(message);
    this.problem = problem;
  }

  LaneException(Problem problem, String message, Throwable cause) {
    super(message, cause);
    this.problem = problem;
  }

  public Problem problem() {
    return problem;
  }

  /** The same reason for another caller, so that each has its own stack. */
  LaneException again() {
    return new LaneException(problem, getMessage(), this);
  }
}
