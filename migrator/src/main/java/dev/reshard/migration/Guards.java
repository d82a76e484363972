package dev.reshard.migration;

import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.StageUnit;
import dev.reshard.guard.Arming;
import dev.reshard.guard.Guard;
import dev.reshard.guard.Patience;
import dev.reshard.guard.Unit;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * The guards of one migration on all its shards: one for each move, on its source and on its
 * destination. Confined to one thread.
 */
public final class Guards {
  private final Migration migration;
  private final Arming arming;

  public Guards(Migration migration) {
    this.migration = migration;
    this.arming = new Arming(migration.keyspace(), migration.worker(), Patience.POLITE);
  }

  /** The guard's unit of a move. */
  public static Unit unitOf(Migration migration, Move move) {
    return new Unit(migration.name(), move.source() + ">" + move.destination(), List.of(move));
  }

  /** The move that a stored unit stands for. */
  public static Move moveOf(Migration migration, StageUnit unit) {
    return migration.moves().from(unit.source()).stream()
        .filter(move -> move.destination().equals(unit.destination()))
        .findFirst()
        .orElseThrow();
  }

  /** Arms every guard: open where the buckets are, closed where they are not yet. Repeatable. */
  public void arm() throws SQLException {
    ShardMap map = migration.before();
    for (ShardId shard : migration.moves().shards()) {
      migration.control().registry().register(shard, Kind.GUARD, "guards", "");
      try (Connection connection = migration.sessions().open(shard, "arm")) {
        Guard.install(connection);
        for (Move move : touching(shard)) {
          arming.arm(connection, shard, unitOf(migration, move), map.epoch());
        }
        arming.armOutside(connection, shard, map);
      }
    }
  }

  /** Takes a shard's guards away; buckets that left it stay guarded. Repeatable. */
  public void disarm(ShardId shard) throws SQLException {
    ShardMap map = mapNow();
    try (Connection connection = migration.sessions().open(shard, "disarm")) {
      for (Move move : touching(shard)) {
        arming.disarm(connection, shard, unitOf(migration, move), map);
      }
    }
  }

  /** Whether no bucket is at its destination. */
  public boolean isRolledBack() throws SQLException {
    return migration.control().units().stream()
        .allMatch(unit -> unit.place() == StageUnit.Place.AT_SOURCE);
  }

  private ShardMap mapNow() throws SQLException {
    List<Move> moved =
        migration.control().units().stream()
            .filter(unit -> unit.place() == StageUnit.Place.AT_DESTINATION)
            .map(unit -> moveOf(migration, unit))
            .toList();
    return migration.before().with(moved, migration.before().epoch());
  }

  private List<Move> touching(ShardId shard) {
    return migration.moves().all().stream()
        .filter(move -> move.source().equals(shard) || move.destination().equals(shard))
        .toList();
  }
}
