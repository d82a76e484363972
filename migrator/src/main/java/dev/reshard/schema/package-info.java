/**
 * What tables need before a row of them is copied or replicated: a row key that contains the shard
 * key.
 *
 * <p>In: tables as the catalogs have them. Out: the same tables with a usable replica identity,
 * each change of ours in the cleanup registry before it is made. Promised: no lock on a user's
 * table is held over a round trip.
 */
package dev.reshard.schema;
