package dev.reshard.control;

import java.util.EnumSet;
import java.util.Set;

/**
 * Where a migration stands.
 *
 * <pre>
 * PENDING > PREPARING > COPYING > CATCHING_UP > READY_FOR_CUTOVER > CUTTING_OVER > COMPLETED > CLEANING_UP > CLEANED
 *    |          |          |           |           |      ^                            |            ^          ^
 *    |          +--- PAUSED, and back -+-----------+      |                      ROLLING_BACK       |          |
 *    |                       |                            |                            |            |          |
 *    |                       |                            +-- (units remain) --   ROLLED_BACK ------+          |
 *    +------------------ CANCELLED -- (undoes all that was made; only while no unit has moved) ----------------+
 * </pre>
 */
public enum MigrationState {
  PENDING,
  PREPARING,
  COPYING,
  CATCHING_UP,
  READY_FOR_CUTOVER,
  CUTTING_OVER,
  COMPLETED,
  ROLLING_BACK,
  ROLLED_BACK,
  CLEANING_UP,
  CLEANED,
  PAUSED,
  FAILED,
  CANCELLED;

  /** The states that may follow this one. */
  public Set<MigrationState> next() {
    return switch (this) {
      case PENDING -> EnumSet.of(PREPARING, CANCELLED);
      case PREPARING -> EnumSet.of(COPYING, PAUSED, FAILED, CANCELLED);
      case COPYING -> EnumSet.of(CATCHING_UP, PAUSED, FAILED, CANCELLED);
      case CATCHING_UP -> EnumSet.of(READY_FOR_CUTOVER, COPYING, PAUSED, FAILED, CANCELLED);
      case READY_FOR_CUTOVER ->
          EnumSet.of(CUTTING_OVER, ROLLING_BACK, CATCHING_UP, PAUSED, CANCELLED);
      case CUTTING_OVER -> EnumSet.of(READY_FOR_CUTOVER, COMPLETED);
      case COMPLETED -> EnumSet.of(ROLLING_BACK, CLEANING_UP);
      case ROLLING_BACK -> EnumSet.of(READY_FOR_CUTOVER, COMPLETED, ROLLED_BACK);
      case ROLLED_BACK -> EnumSet.of(CUTTING_OVER, CLEANING_UP);
      case PAUSED -> EnumSet.of(PREPARING, COPYING, CATCHING_UP, READY_FOR_CUTOVER, CANCELLED);
      case FAILED -> EnumSet.of(CANCELLED);
      case CLEANING_UP, CANCELLED -> EnumSet.of(CLEANED);
      case CLEANED -> EnumSet.noneOf(MigrationState.class);
    };
  }

  /** Whether both directions of replication run; while PAUSED, the state it came from says so. */
  public boolean replicates() {
    return switch (this) {
      case CATCHING_UP, READY_FOR_CUTOVER, CUTTING_OVER, COMPLETED, ROLLING_BACK, ROLLED_BACK ->
          true;
      case PENDING, PREPARING, COPYING, CLEANING_UP, CLEANED, PAUSED, FAILED, CANCELLED -> false;
    };
  }

  /** What an operator does next, as a command of the program; empty while the worker is busy. */
  public String nextStep() {
    return switch (this) {
      case READY_FOR_CUTOVER -> "reshard verify, then reshard cutover";
      case COMPLETED -> "reshard rollback, or reshard complete when you are sure";
      case ROLLED_BACK -> "reshard cutover again, or reshard complete to give up";
      case PAUSED -> "reshard resume";
      case FAILED -> "read the last transition, then reshard cancel: it removes all that was made";
      case PENDING,
          PREPARING,
          COPYING,
          CATCHING_UP,
          CUTTING_OVER,
          ROLLING_BACK,
          CLEANING_UP,
          CANCELLED ->
          "";
      case CLEANED -> "nothing: all is done";
    };
  }
}
