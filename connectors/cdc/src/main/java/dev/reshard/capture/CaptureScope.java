package dev.reshard.capture;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;

/**
 * Which changes of a shard are published. Immutable.
 *
 * @param moving the buckets that leave or enter the shard
 * @param reference whether this shard is the home of the reference tables, whose changes then go to
 *     every destination
 */
public record CaptureScope(Keyspace keyspace, BucketSet moving, boolean reference) {}
