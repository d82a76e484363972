package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;

/**
 * A replication slot, a position and an exported snapshot that agree with each other: in the
 * snapshot is exactly what committed at or before {@code position} (HAZARDS F19). Immutable.
 *
 * @param server whose position it is: asked in the session that made the slot
 * @param snapshot name for {@code SET TRANSACTION SNAPSHOT}; lives as long as the session that
 *     holds it
 */
public record Anchor(
    ShardId shard, String slot, ServerIdentity server, Lsn position, String snapshot) {}
