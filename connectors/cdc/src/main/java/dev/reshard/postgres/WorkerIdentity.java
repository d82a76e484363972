package dev.reshard.postgres;

/**
 * Who writes to a shard: travels into every statement of ours that changes one. Immutable.
 *
 * @param migration its name
 * @param lease the number of the lease this worker holds; a shard refuses lower ones than it has
 *     seen
 * @param marker what tells this migration's transactions from an application's
 */
public record WorkerIdentity(String migration, long lease, Marker marker) {}
