package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ReplicationSlots;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * While the copy is paused its sources are captured, also by a worker that starts only then: so no
 * shard keeps its WAL. Confined to the worker's thread.
 */
public final class PausedCopy implements Service {
  private final Migration migration;
  private final Replication replication;
  private boolean capturing;

  public PausedCopy(Migration migration, Replication replication) {
    this.migration = migration;
    this.replication = replication;
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return state == MigrationState.COPYING;
  }

  @Override
  public void start() {}

  @Override
  public void hold(boolean hold) throws SQLException {
    if (hold && !capturing) {
      for (ShardId source : migration.copied()) {
        try (Connection connection = migration.sessions().open(source, "copy")) {
          if (ReplicationSlots.find(connection, migration.slot(source)).isPresent()) {
            replication.startCapture(source);
          }
        }
      }
    }
    capturing = hold;
  }
}
