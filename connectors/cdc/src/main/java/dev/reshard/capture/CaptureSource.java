package dev.reshard.capture;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardSessions;

/**
 * Where changes come from, and which. Immutable.
 *
 * @param slot a permanent logical replication slot of plugin pgoutput that exists
 * @param publication exists, and existed before the slot (HAZARDS F35)
 * @param marker what tells this migration's own transactions
 */
public record CaptureSource(
    ShardSessions sessions,
    ShardId shard,
    String slot,
    String publication,
    Marker marker,
    CaptureScope scope) {}
