package dev.reshard.probe;

import dev.reshard.postgres.Lsn;

/**
 * A row as one statement saw it on the source. Immutable.
 *
 * @param digest null: no such row
 * @param version changes with every change of the row; null: no such row
 * @param bound all that the statement saw had committed at or before it
 * @param oldestRunning every transaction with a lower number had ended, for the statement's
 *     snapshot
 */
record SourceLook(String digest, String version, Lsn bound, long oldestRunning, long micros) {}
