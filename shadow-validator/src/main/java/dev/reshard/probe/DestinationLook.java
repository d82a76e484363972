package dev.reshard.probe;

import dev.reshard.postgres.Lsn;

/**
 * A row and the lane's position as one statement saw them on the destination. Immutable.
 *
 * @param digest null: no such row
 * @param version changes with every change of the row; null: no such row
 */
record DestinationLook(String digest, String version, Lsn applied, long micros) {}
