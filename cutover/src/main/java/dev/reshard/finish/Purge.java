package dev.reshard.finish;

import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.OwnTransaction.Durability;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Deletes rows of buckets from the shard that does not own them, and of reference tables from new
 * shards that got no bucket. Confined to one thread.
 */
final class Purge {
  /**
   * Pages of 8 KiB that one transaction looks through: short locks, and room for others between.
   */
  private static final int BLOCKS = 1024;

  private final Migration migration;
  private final boolean keepSource;

  /**
   * A purge that can be run again at any point.
   *
   * @param keepSource whether rows that have moved stay where they were, too
   */
  Purge(Migration migration, boolean keepSource) {
    this.migration = migration;
    this.keepSource = keepSource;
  }

  /**
   * Purges every shard that lost buckets, or got some and gave them back.
   *
   * @return rows deleted, by shard
   */
  Map<ShardId, Long> run() throws SQLException {
    Map<ShardId, BucketSet> foreign = new TreeMap<>();
    Set<ShardId> empty = new TreeSet<>(migration.hasReference() ? migration.newShards() : Set.of());
    for (StageUnit unit : migration.control().units()) {
      Move move = Guards.moveOf(migration, unit);
      boolean moved = unit.place() == Place.AT_DESTINATION;
      if (moved) {
        empty.remove(move.destination());
      }
      if (!moved || !keepSource) {
        foreign.merge(moved ? move.source() : move.destination(), move.buckets(), BucketSet::plus);
      }
    }
    Map<ShardId, Long> deleted = new TreeMap<>();
    for (Map.Entry<ShardId, BucketSet> shard : foreign.entrySet()) {
      deleted.put(shard.getKey(), purge(shard.getKey(), shard.getValue()));
    }
    for (ShardId shard : empty) {
      deleted.merge(shard, purgeReferences(shard), Long::sum);
    }
    return deleted;
  }

  private long purgeReferences(ShardId shard) throws SQLException {
    long deleted = 0;
    try (Connection connection = migration.sessions().open(shard, "purge")) {
      for (TableId id : migration.keyspace().reference()) {
        Optional<Table> table = Catalog.find(connection, id);
        for (Table.Leaf leaf : table.map(Table::leaves).orElse(List.of())) {
          deleted += purge(connection, leaf, "true");
        }
      }
    }
    return deleted;
  }

  private long purge(ShardId shard, BucketSet buckets) throws SQLException {
    long deleted = 0;
    try (Connection connection = migration.sessions().open(shard, "purge")) {
      for (ShardedTable sharded : migration.keyspace().sharded()) {
        Optional<Table> table = Catalog.find(connection, sharded.id());
        String where =
            migration.keyspace().partitioning().sqlIn(TableId.quote(sharded.key()), buckets);
        for (Table.Leaf leaf : table.map(Table::leaves).orElse(List.of())) {
          deleted += purge(connection, leaf, where);
        }
      }
    }
    return deleted;
  }

  /** By ranges of blocks; the last one has no end, for the table may have grown. */
  private long purge(Connection connection, Table.Leaf leaf, String where) throws SQLException {
    long deleted = 0;
    for (long from = 0; from <= leaf.blocks(); from += BLOCKS) {
      long to = from + BLOCKS;
      String range =
          "ctid >= '(%d,0)'::tid".formatted(from)
              + (to > leaf.blocks() ? "" : " AND ctid < '(%d,0)'::tid".formatted(to));
      try (OwnTransaction transaction =
              OwnTransaction.begin(connection, migration.worker(), Durability.ASYNCHRONOUS);
          Statement statement = connection.createStatement()) {
        deleted +=
            statement.executeUpdate(
                "DELETE FROM ONLY %s WHERE %s AND %s".formatted(leaf.id().quoted(), range, where));
        transaction.commit();
      }
    }
    return deleted;
  }
}
