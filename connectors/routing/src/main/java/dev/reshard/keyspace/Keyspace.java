package dev.reshard.keyspace;

import java.util.List;

/**
 * The tables that are sharded together by one shard key. Immutable.
 *
 * @param partitioning how a key finds its bucket
 * @param sharded the tables whose rows belong to buckets
 * @param reference the tables with the same rows on every shard
 */
public record Keyspace(
    String name, Partitioning partitioning, List<ShardedTable> sharded, List<TableId> reference) {

  /** A sharded table and its column that holds the shard key. */
  public record ShardedTable(TableId id, String key) {}

  public Keyspace {
    sharded = List.copyOf(sharded);
    reference = List.copyOf(reference);
  }
}
