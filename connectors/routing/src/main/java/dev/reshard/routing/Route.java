package dev.reshard.routing;

import dev.reshard.keyspace.ShardId;

/**
 * Where a key's rows are, as far as the router knows. Immutable.
 *
 * @param since the epoch at which the bucket came to its owner
 */
public record Route(int bucket, ShardId owner, long since) {}
