package dev.reshard.keyspace;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tables that are sharded together by one shard key. Immutable.
 *
 * @param partitioning how a key finds its bucket
 * @param sharded the tables whose rows belong to buckets
 * @param reference the tables with the same rows on every shard
 * @param ignored columns that are neither copied, replicated nor compared, by their tables
 */
public record Keyspace(
    String name,
    Partitioning partitioning,
    List<ShardedTable> sharded,
    List<TableId> reference,
    Map<TableId, Set<String>> ignored) {

  /** A sharded table and its column that holds the shard key. */
  public record ShardedTable(TableId id, String key) {}

  public Keyspace {
    sharded = List.copyOf(sharded);
    reference = List.copyOf(reference);
    ignored = Map.copyOf(ignored);
  }

  /** All of whose columns count. */
  public Keyspace(
      String name, Partitioning partitioning, List<ShardedTable> sharded, List<TableId> reference) {
    this(name, partitioning, sharded, reference, Map.of());
  }

  /** Of a table's columns those that are left out; none of most tables. */
  public Set<String> ignoredOf(TableId table) {
    return ignored.getOrDefault(table, Set.of());
  }
}
