package dev.reshard.topics;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.util.ArrayList;
import java.util.List;

/**
 * The whole map of a keyspace: the bucket's owner is {@code shards[owner[bucket]]}. JSON.
 * Immutable.
 *
 * <p>One record holds all of it, so that a reader never has half of a change, and compaction never
 * keeps half of one. An index for each bucket, not ranges: a keyspace cut as {@code 0 mod 4} has as
 * many ranges as buckets, and 65 536 buckets stay below the megabyte that brokers take.
 *
 * @param version of these fields; 1
 * @param partitioning how a key finds its bucket, e.g. {@code modulo into 1024}
 * @param epoch grows with every change; a record with a lower one than seen before is to be ignored
 */
public record RoutingMap(
    int version,
    String keyspace,
    String partitioning,
    int buckets,
    long epoch,
    List<String> shards,
    List<Integer> owner) {

  /** The version that this program writes. */
  public static final int VERSION = 1;

  public RoutingMap {
    shards = List.copyOf(shards);
    owner = List.copyOf(owner);
  }

  /** The record of one map. */
  public static RoutingMap of(String keyspace, String partitioning, ShardMap map) {
    List<ShardId> shards = new ArrayList<>(map.byShard().keySet());
    return new RoutingMap(
        VERSION,
        keyspace,
        partitioning,
        map.count(),
        map.epoch(),
        shards.stream().map(ShardId::name).toList(),
        map.owners().stream().map(shards::indexOf).toList());
  }

  public byte[] toJson() {
    return Json.write(this);
  }
}
