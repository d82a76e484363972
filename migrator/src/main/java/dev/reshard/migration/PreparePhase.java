package dev.reshard.migration;

import dev.reshard.change.ChangeTopics;
import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.EachShard;
import dev.reshard.schema.SchemaCopy;
import java.util.Set;

/**
 * Makes what both directions of replication need, before a row is copied: the schema where a
 * destination lacks it, row keys, guards, publications, topics. The order matters: the schema while
 * the sources' is as their users made it, identity before publication (HAZARDS F2), publication
 * before replication slot (F35), and a destination's guard before its rows are loaded. What only
 * the way back needs of a shard that only receives is made after that: {@link Receivers}.
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
    Set<ShardId> receivers = Receivers.of(migration);
    int made =
        new SchemaCopy(
                migration.sessions(), migration.keyspace(), migration.moves(), migration.home())
            .runBeforeRows(registry, migration.worker(), receivers);
    EachShard.run(
        "row keys", migration.copied(), source -> Receivers.prepareKeys(migration, source));
    guards.arm();
    for (ShardId shard : migration.captured()) {
      if (!receivers.contains(shard)) {
        Receivers.publish(migration, shard);
      }
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
}
