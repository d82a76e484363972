package dev.reshard.preflight;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.plan.Plan;
import dev.reshard.postgres.Table;
import dev.reshard.spec.Spec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;

/**
 * What is checked. Immutable, save its sessions.
 *
 * @param keyspace the tables that the spec's lists give it
 * @param begun whether the migration is under way: then rows lie where it has put them, too
 * @param tables the keyspace's tables as each shard has them
 * @param sizes of them
 * @param keys the columns of their shard keys
 * @param placeable whether a server can be asked for buckets: not while the user's own function is
 *     amiss, which is a finding of its own
 */
record Subject(
    Spec spec,
    Keyspace keyspace,
    Plan plan,
    boolean begun,
    CheckSessions sessions,
    Map<ShardId, SortedMap<TableId, Table>> tables,
    Map<ShardId, Map<TableId, TableSize>> sizes,
    Map<ShardId, Map<TableId, KeyColumn>> keys,
    boolean placeable) {

  Moves moves() {
    return plan.moves();
  }

  /** Shards that own buckets today. */
  Set<ShardId> serving() {
    return plan.current().byShard().keySet();
  }

  /** Destinations that own nothing yet and lack the rows of reference tables. */
  Set<ShardId> newShards() {
    return moves().newShards(plan.current(), spec.control());
  }

  /**
   * Shards that the migration reads or writes: sources, destinations, and the home of reference
   * tables; if nothing moves, all.
   */
  Set<ShardId> shards() {
    Set<ShardId> shards = new TreeSet<>(moves().shards());
    if (shards.isEmpty()) {
      return sessions.shards();
    }
    if (!keyspace.reference().isEmpty() && !newShards().isEmpty()) {
      shards.add(spec.control());
    }
    return shards;
  }

  /** As {@link #shards}, whether they can be reached or not. */
  Set<ShardId> concerned() {
    return moves().all().isEmpty() ? spec.shards().keySet() : shards();
  }

  /** Sharded and reference tables. */
  List<TableId> tableIds() {
    List<TableId> ids = new ArrayList<>(keyspace.sharded().stream().map(ShardedTable::id).toList());
    ids.addAll(keyspace.reference());
    return ids;
  }

  /** A table as a shard has it; empty if it has none, or could not be asked. */
  Optional<Table> table(ShardId shard, TableId id) {
    return Optional.ofNullable(tables.get(shard)).map(all -> all.get(id));
  }

  /** The sharded tables that a shard has with a shard key that the function takes. */
  List<ShardedTable> placed(ShardId shard) {
    return keyed(shard).stream()
        .filter(
            table ->
                placeable
                    && key(shard, table.id())
                        .filter(key -> keyspace.partitioning().objectionTo(key.type()).isEmpty())
                        .isPresent())
        .toList();
  }

  /** The sharded tables that a shard has with their shard key. */
  List<ShardedTable> keyed(ShardId shard) {
    return keyspace.sharded().stream()
        .filter(table -> table(shard, table.id()).filter(t -> t.hasColumn(table.key())).isPresent())
        .toList();
  }

  /** A table's shard key as a shard has it; empty if it has none, or could not be asked. */
  Optional<KeyColumn> key(ShardId shard, TableId id) {
    return Optional.ofNullable(keys.get(shard)).map(all -> all.get(id));
  }

  /** Nothing of a table that is not there. */
  TableSize size(ShardId shard, TableId id) {
    return Optional.ofNullable(sizes.get(shard)).map(all -> all.get(id)).orElse(TableSize.NONE);
  }

  /** The buckets whose rows may lie on a shard: its own, those about to come, those that left. */
  BucketSet expectedAt(ShardId shard) {
    return plan.current().bucketsOf(shard).plus(moves().at(shard));
  }
}
