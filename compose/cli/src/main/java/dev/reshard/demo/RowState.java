package dev.reshard.demo;

import java.util.UUID;

/**
 * What a row says. Immutable.
 *
 * @param tenant its shard key
 * @param digest of all its columns
 * @param version grows with every change; 0 in tables whose rows do not change
 */
record RowState(long tenant, UUID digest, long version) {}
