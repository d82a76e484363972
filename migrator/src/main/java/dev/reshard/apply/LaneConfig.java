package dev.reshard.apply;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.WorkerIdentity;

/**
 * What one lane carries, and where. Immutable.
 *
 * @param buckets those of the move, or of the reversed move; may be empty if {@code reference}
 * @param reference whether changes of reference tables are carried too: from their home to a shard
 *     that lacks them
 * @param worker on whose behalf the destination is written
 */
public record LaneConfig(
    ShardId source,
    ShardId destination,
    BucketSet buckets,
    boolean reference,
    Keyspace keyspace,
    WorkerIdentity worker) {
  public LaneConfig {
    if (source.equals(destination) || (buckets.isEmpty() && !reference)) {
      throw new IllegalArgumentException("a lane carries something to another shard");
    }
  }

  /** How logs and errors name the lane. */
  public String name() {
    return source + "->" + destination;
  }

  String migration() {
    return worker.migration();
  }
}
