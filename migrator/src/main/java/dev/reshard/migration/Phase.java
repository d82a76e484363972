package dev.reshard.migration;

import dev.reshard.control.MigrationState;

/** A step that the worker takes by itself while the migration is in one state. */
public interface Phase {
  /** The state in which it runs. */
  MigrationState state();

  /**
   * Works until the state should change. Must bear being run again from the start after a crash.
   *
   * @return the state that follows, which the worker stores
   */
  Outcome run() throws Exception;

  /** The state that follows, and why. */
  record Outcome(MigrationState next, String why) {}
}
