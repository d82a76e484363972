package dev.reshard.cutover;

import dev.reshard.control.MigrationState;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Phase;
import dev.reshard.migration.Replication;

/** What a worker does first in a state in which the one before it died while handing units over. */
public final class RecoverPhase implements Phase {
  private final MigrationState state;
  private final HandOver handOver;

  /**
   * For one of the two states.
   *
   * @param state CUTTING_OVER or ROLLING_BACK
   */
  public RecoverPhase(MigrationState state, Migration migration, Replication replication) {
    this.state = state;
    this.handOver = new HandOver(migration, replication);
  }

  @Override
  public MigrationState state() {
    return state;
  }

  @Override
  public Outcome run() throws Exception {
    handOver.recover();
    return new Outcome(handOver.state(state), "recovered after the worker stopped in between");
  }
}
