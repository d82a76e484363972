package dev.reshard.migration;

import dev.reshard.change.ChangeTopics;
import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Publications;
import dev.reshard.schema.RowKeys;
import dev.reshard.schema.SchemaCopy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes what both directions of replication need, before a row is copied: the schema where a
 * destination lacks it, row keys, guards, publications, topics. The order matters: the schema while
 * the sources' is as their users made it, identity before publication (HAZARDS F2), publication
 * before replication slot (F35), and a destination's guard before its rows are loaded.
 */
public final class PreparePhase implements Phase {
  private final Migration migration;
  private final Guards guards;

  public PreparePhase(Migration migration, Guards guards) {
    this.migration = migration;
    this.guards = guards;
  }

  @Override
  public MigrationState state() {
    return MigrationState.PREPARING;
  }

  @Override
  public Outcome run() throws Exception {
    CleanupRegistry registry = migration.control().registry();
    int made =
        new SchemaCopy(
                migration.sessions(), migration.keyspace(), migration.moves(), migration.home())
            .run(registry, migration.worker());
    RowKeys rowKeys = new RowKeys(migration.sessions(), registry, migration.name());
    for (ShardId shard : migration.captured()) {
      rowKeys.prepare(shard, migration.keyspace());
    }
    guards.arm();
    for (ShardId shard : migration.captured()) {
      publish(shard, registry);
      registry.register(shard, Kind.TOPIC, migration.topics().changes(shard), "");
      ChangeTopics.create(
          migration.kafka(),
          migration.topics().changes(shard),
          migration.spec().topics().replication());
    }
    return new Outcome(
        MigrationState.COPYING,
        "row keys, guards, publications and topics are ready"
            + (made == 0 ? "" : "; %d objects of the schema were made".formatted(made)));
  }

  private void publish(ShardId shard, CleanupRegistry registry) throws SQLException {
    registry.register(shard, Kind.PUBLICATION, migration.publication(), "");
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
