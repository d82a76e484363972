package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import java.sql.SQLException;

/**
 * Writes down which columns rows are moved without, before the first one is: the file may not take
 * them back then. Not while paused, as nothing is moved; so a name that was a mistake can be
 * corrected until {@code resume}. To be the first of the services. Confined to the worker's thread.
 */
public final class LeftOutRecord implements Service {
  private final Migration migration;
  private boolean held;
  private boolean written;

  public LeftOutRecord(Migration migration) {
    this.migration = migration;
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return state.replicates() || state == MigrationState.COPYING;
  }

  @Override
  public void hold(boolean hold) {
    held = hold;
  }

  @Override
  public void start() throws SQLException {
    if (!held && !written) {
      migration
          .control()
          .leftOut()
          .save(migration.keyspace().ignored(), migration.worker().lease());
      written = true;
    }
  }
}
