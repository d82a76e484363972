package dev.reshard.migration;

import dev.reshard.control.MigrationState;

/** A migration that was just stored begins to be prepared. */
public final class StartPhase implements Phase {
  @Override
  public MigrationState state() {
    return MigrationState.PENDING;
  }

  @Override
  public Outcome run() {
    return new Outcome(MigrationState.PREPARING, "a worker took it up");
  }
}
