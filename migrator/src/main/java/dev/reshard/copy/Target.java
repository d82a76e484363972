package dev.reshard.copy;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.ShardId;

/** Which buckets of a table go to one destination. Immutable. */
public record Target(ShardId destination, BucketSet buckets) {}
