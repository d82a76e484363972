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
import dev.reshard.migration.Throttles;
import dev.reshard.migration.UndoneException;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.OwnTransaction.Durability;
import dev.reshard.postgres.Table;
import dev.reshard.throttle.Throttle;
import dev.reshard.throttle.Turn;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Deletes rows of buckets from the shard that does not own them, and of reference tables from new
 * shards that got no bucket. Each transaction waits before it begins for the throttle of its shard.
 * Confined to one thread.
 */
final class Purge {
  /**
   * Pages of 8 KiB that one transaction looks through: short locks, and room for others between.
   */
  private static final int BLOCKS = 1024;

  private static final long BLOCK_BYTES = 8192;

  private final Migration migration;
  private final boolean keepSource;
  private final Throttles throttles;
  private final BooleanSupplier ends;

  /**
   * A purge that can be run again at any point.
   *
   * @param keepSource whether rows that have moved stay where they were, too
   * @param ends asked before each transaction: true ends it there
   */
  Purge(Migration migration, boolean keepSource, Throttles throttles, BooleanSupplier ends) {
    this.migration = migration;
    this.keepSource = keepSource;
    this.throttles = throttles;
    this.ends = ends;
  }

  /**
   * Purges every shard that lost buckets, and what was loaded for units that did not move.
   *
   * @return rows deleted, by shard
   * @throws UndoneException if the worker ends before it does
   */
  Map<ShardId, Long> run() throws SQLException, InterruptedException {
    Map<ShardId, BucketSet> lost = new TreeMap<>();
    List<Move> unmoved = new ArrayList<>();
    Set<ShardId> empty = new TreeSet<>(migration.hasReference() ? migration.newShards() : Set.of());
    for (StageUnit unit : migration.control().units()) {
      Move move = Guards.moveOf(migration, unit);
      if (unit.place() == Place.AT_DESTINATION) {
        lost.merge(move.source(), move.buckets(), BucketSet::plus);
        empty.remove(move.destination());
      } else {
        unmoved.add(move);
      }
    }
    Map<ShardId, Long> deleted = new TreeMap<>();
    if (!keepSource) {
      for (Map.Entry<ShardId, BucketSet> shard : lost.entrySet()) {
        deleted.put(shard.getKey(), purge(shard.getKey(), shard.getValue(), table -> true));
      }
    }
    for (Move move : unmoved) {
      Set<TableId> loaded = loaded(move.destination(), move.source());
      long rows = purge(move.destination(), move.buckets(), loaded::contains);
      deleted.merge(move.destination(), rows, Long::sum);
    }
    for (ShardId shard : empty) {
      deleted.merge(shard, purgeReferences(shard), Long::sum);
    }
    return deleted;
  }

  /**
   * The tables whose moving buckets were empty on a destination when this migration came: all rows
   * of them there are its own. Of any other table it has loaded nothing, and deletes nothing.
   */
  private Set<TableId> loaded(ShardId destination, ShardId source) throws SQLException {
    Set<TableId> tables = new TreeSet<>();
    try (Connection connection = migration.sessions().open(destination, "purge");
        Statement statement = connection.createStatement()) {
      try (ResultSet row =
          statement.executeQuery("SELECT to_regclass('reshard.copied_table') IS NOT NULL")) {
        row.next();
        if (!row.getBoolean(1)) {
          return tables;
        }
      }
      try (PreparedStatement claims =
          connection.prepareStatement(
              """
              SELECT table_schema, table_name FROM reshard.copied_table
               WHERE migration = ? AND source = ?""")) {
        claims.setString(1, migration.name());
        claims.setString(2, source.name());
        try (ResultSet row = claims.executeQuery()) {
          while (row.next()) {
            tables.add(new TableId(row.getString(1), row.getString(2)));
          }
        }
      }
    }
    return tables;
  }

  private long purgeReferences(ShardId shard) throws SQLException, InterruptedException {
    long deleted = 0;
    Set<TableId> loaded = loaded(shard, migration.home());
    try (Connection connection = migration.sessions().open(shard, "purge")) {
      for (TableId id : migration.keyspace().reference()) {
        Optional<Table> table =
            loaded.contains(id) ? Catalog.find(connection, id) : Optional.empty();
        for (Table.Leaf leaf : table.map(Table::leaves).orElse(List.of())) {
          deleted += purge(shard, connection, leaf, "true");
        }
      }
    }
    return deleted;
  }

  private long purge(ShardId shard, BucketSet buckets, Predicate<TableId> wanted)
      throws SQLException, InterruptedException {
    long deleted = 0;
    try (Connection connection = migration.sessions().open(shard, "purge")) {
      for (ShardedTable sharded : migration.keyspace().sharded()) {
        Optional<Table> table =
            wanted.test(sharded.id()) ? Catalog.find(connection, sharded.id()) : Optional.empty();
        String where =
            migration.keyspace().partitioning().sqlIn(TableId.quote(sharded.key()), buckets);
        for (Table.Leaf leaf : table.map(Table::leaves).orElse(List.of())) {
          deleted += purge(shard, connection, leaf, where);
        }
      }
    }
    return deleted;
  }

  /** By ranges of blocks; the last one has no end, for the table may have grown. */
  private long purge(ShardId shard, Connection connection, Table.Leaf leaf, String where)
      throws SQLException, InterruptedException {
    long deleted = 0;
    for (long from = 0; from <= leaf.blocks(); from += BLOCKS) {
      long to = from + BLOCKS;
      String range =
          "ctid >= '(%d,0)'::tid".formatted(from)
              + (to > leaf.blocks() ? "" : " AND ctid < '(%d,0)'::tid".formatted(to));
      long blocks = Math.min(BLOCKS, leaf.blocks() - from);
      try (Turn turn = turn(shard, blocks)) {
        int rows = delete(connection, leaf, range + " AND " + where);
        turn.moved(rows, blocks * BLOCK_BYTES);
        deleted += rows;
      }
    }
    return deleted;
  }

  private Turn turn(ShardId shard, long blocks) throws InterruptedException {
    Throttle throttle = throttles.of(shard);
    return throttle
        .begin(blocks, ends)
        .orElseThrow(
            () ->
                new UndoneException(
                    "the worker ended during the purge of shard %s%s. Nothing is unsafe; the next 'reshard run' goes on with it"
                        .formatted(
                            shard, throttle.told().map(", which was %s"::formatted).orElse(""))));
  }

  private int delete(Connection connection, Table.Leaf leaf, String where) throws SQLException {
    try (OwnTransaction transaction =
            OwnTransaction.begin(connection, migration.worker(), Durability.ASYNCHRONOUS);
        Statement statement = connection.createStatement()) {
      int rows =
          statement.executeUpdate(
              "DELETE FROM ONLY %s WHERE %s".formatted(leaf.id().quoted(), where));
      transaction.commit();
      return rows;
    }
  }
}
