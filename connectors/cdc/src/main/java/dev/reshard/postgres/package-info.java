/**
 * What every step needs of a PostgreSQL server: sessions, the catalog, positions in the WAL,
 * replication slots and publications.
 *
 * <p>In: addresses of shards. Out: connections whose settings cannot change a value on its way
 * ({@link dev.reshard.postgres.ShardSessions}), tables as the catalog has them ({@link
 * dev.reshard.postgres.Catalog}), and the one way to write user tables ({@link
 * dev.reshard.postgres.OwnTransaction}). Promised: no session of ours is a superuser's, none goes
 * without the pinned settings, and no secret appears in a message or a log line.
 */
package dev.reshard.postgres;
