package dev.reshard.apply;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.WorkerIdentity;
import java.util.Set;

/**
 * What one lane carries, and where. Immutable.
 *
 * @param buckets those of the move, or of the reversed move; may be empty if {@code reference}
 * @param reference whether changes of reference tables are carried too: from their home to a shard
 *     that lacks them
 * @param worker on whose behalf the destination is written
 * @param absent tables that are not there yet: their changes are left out
 * @param partial tables of which some rows are not there yet: they may be missing (HAZARDS F8)
 */
public record LaneConfig(
    ShardId source,
    ShardId destination,
    BucketSet buckets,
    boolean reference,
    Keyspace keyspace,
    WorkerIdentity worker,
    Set<TableId> absent,
    Set<TableId> partial) {
  public LaneConfig {
    absent = Set.copyOf(absent);
    partial = Set.copyOf(partial);
    if (source.equals(destination) || (buckets.isEmpty() && !reference)) {
      throw new IllegalArgumentException("a lane carries something to another shard");
    }
  }

  /** Of a lane whose destination has every row. */
  public LaneConfig(
      ShardId source,
      ShardId destination,
      BucketSet buckets,
      boolean reference,
      Keyspace keyspace,
      WorkerIdentity worker) {
    this(source, destination, buckets, reference, keyspace, worker, Set.of(), Set.of());
  }

  /** The same lane while the destination lacks rows. */
  public LaneConfig lacking(Set<TableId> absentTables, Set<TableId> partialTables) {
    return new LaneConfig(
        source, destination, buckets, reference, keyspace, worker, absentTables, partialTables);
  }

  /** How logs and errors name the lane. */
  public String name() {
    return source + "->" + destination;
  }

  String migration() {
    return worker.migration();
  }
}
