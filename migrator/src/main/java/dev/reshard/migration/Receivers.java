package dev.reshard.migration;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.EachShard;
import dev.reshard.postgres.Publications;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.schema.RowKeys;
import dev.reshard.schema.SchemaCopy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes shards fit to be captured. One that only receives is so after its rows are loaded: nobody
 * captures it before, and until then tables that were made there have no index that would have to
 * grow with them. Stateless.
 */
final class Receivers {
  private Receivers() {}

  /** The shards that rows only come to. */
  static Set<ShardId> of(Migration migration) {
    Set<ShardId> receivers = new TreeSet<>(migration.captured());
    receivers.removeAll(migration.copied());
    return receivers;
  }

  /**
   * Gives all of them what they lack, before anything is captured there or a lane brings changes.
   * Repeatable.
   */
  static void finish(Migration migration, Guards guards) throws SQLException, InterruptedException {
    CleanupRegistry registry = migration.control().registry();
    new SchemaCopy(migration.sessions(), migration.keyspace(), migration.moves(), migration.home())
        .run(registry, migration.worker());
    EachShard.run("prepare", of(migration), shard -> finish(migration, shard));
    guards.armAgain();
  }

  private static void finish(Migration migration, ShardId shard)
      throws SQLException, InterruptedException {
    boolean isCaptured;
    try (Connection connection = migration.sessions().open(shard, "prepare")) {
      isCaptured = ReplicationSlots.find(connection, migration.slot(shard)).isPresent();
    }
    if (!isCaptured) {
      prepareKeys(migration, shard);
      publish(migration, shard);
    }
  }

  static void prepareKeys(Migration migration, ShardId shard)
      throws SQLException, InterruptedException {
    new RowKeys(migration.sessions(), migration.control().registry(), migration.name())
        .prepare(shard, migration.keyspace());
  }

  /** After its row keys (HAZARDS F2), and before its replication slot (F35). */
  static void publish(Migration migration, ShardId shard) throws SQLException {
    migration.control().registry().register(shard, Kind.PUBLICATION, migration.publication(), "");
    List<TableId> tables = new ArrayList<>();
    if (migration.moves().shards().contains(shard)) {
      migration.keyspace().sharded().stream().map(ShardedTable::id).forEach(tables::add);
    }
    if (migration.hasReference() && shard.equals(migration.home())) {
      tables.addAll(migration.keyspace().reference());
    }
    try (Connection connection = migration.sessions().open(shard, "prepare")) {
      Publications.drop(connection, migration.publication());
      Publications.create(connection, migration.publication(), tables);
    }
  }
}
