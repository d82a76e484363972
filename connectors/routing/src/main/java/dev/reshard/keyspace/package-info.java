/**
 * What is sharded, how a row finds its bucket, and which shard owns a bucket.
 *
 * <p>In: nothing but the JDK. Out: immutable values ({@link dev.reshard.keyspace.BucketSet}, {@link
 * dev.reshard.keyspace.ShardMap}, {@link dev.reshard.keyspace.Partitioning}, {@link
 * dev.reshard.keyspace.Moves}) that every other package speaks in. Promised: the same code routes
 * the copy, the changes and the application's queries, and its SQL twin ({@link
 * dev.reshard.keyspace.Partitioning#sql}) gives the same bucket on a server. What only a server can
 * tell it is asked over a connection that somebody else opens ({@link
 * dev.reshard.keyspace.ServerLookup}).
 */
package dev.reshard.keyspace;
