package dev.reshard.control;

import java.util.EnumSet;
import java.util.Set;

/**
 * Where a migration stands.
 *
 * <pre>
 * PENDING > PREPARING > COPYING > CATCHING_UP > READY_FOR_CUTOVER > CUTTING_OVER > COMPLETED > CLEANING_UP > CLEANED
 *                                                      ^                               |            ^
 *                                                      |                         ROLLING_BACK       |
 *                                                      |                               |            |
 *                                                      +-- (units remain) --     ROLLED_BACK -------+
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
  FAILED;

  /** The states that may follow this one. */
  public Set<MigrationState> next() {
    return switch (this) {
      case PENDING -> EnumSet.of(PREPARING);
      case PREPARING -> EnumSet.of(COPYING, FAILED);
      case COPYING -> EnumSet.of(CATCHING_UP, FAILED);
      case CATCHING_UP -> EnumSet.of(READY_FOR_CUTOVER, COPYING, FAILED);
      case READY_FOR_CUTOVER -> EnumSet.of(CUTTING_OVER, ROLLING_BACK, CATCHING_UP);
      case CUTTING_OVER -> EnumSet.of(READY_FOR_CUTOVER, COMPLETED);
      case COMPLETED -> EnumSet.of(ROLLING_BACK, CLEANING_UP);
      case ROLLING_BACK -> EnumSet.of(READY_FOR_CUTOVER, COMPLETED, ROLLED_BACK);
      case ROLLED_BACK -> EnumSet.of(CUTTING_OVER, CLEANING_UP);
      case CLEANING_UP -> EnumSet.of(CLEANED);
      case CLEANED, FAILED -> EnumSet.noneOf(MigrationState.class);
    };
  }

  /** Whether both directions of replication run. */
  public boolean replicates() {
    return switch (this) {
      case CATCHING_UP, READY_FOR_CUTOVER, CUTTING_OVER, COMPLETED, ROLLING_BACK, ROLLED_BACK ->
          true;
      case PENDING, PREPARING, COPYING, CLEANING_UP, CLEANED, FAILED -> false;
    };
  }

  /** What an operator does next, as a command of the program; empty while the worker is busy. */
  public String nextStep() {
    return switch (this) {
      case READY_FOR_CUTOVER -> "reshard verify, then reshard cutover";
      case COMPLETED -> "reshard rollback, or reshard complete when you are sure";
      case ROLLED_BACK -> "reshard cutover again, or reshard complete to give up";
      case FAILED -> "read the last transition; mend what it names; reshard run";
      case PENDING, PREPARING, COPYING, CATCHING_UP, CUTTING_OVER, ROLLING_BACK, CLEANING_UP -> "";
      case CLEANED -> "nothing: all is done";
    };
  }
}
