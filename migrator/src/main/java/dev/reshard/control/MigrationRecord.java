package dev.reshard.control;

import dev.reshard.keyspace.Moves;
import dev.reshard.postgres.Marker;
import java.util.List;
import java.util.Optional;

/**
 * A stored migration. Immutable.
 *
 * @param verification the JSON of the last full comparison; empty before the first
 */
public record MigrationRecord(
    String name,
    String keyspace,
    MigrationState state,
    Marker marker,
    Moves moves,
    List<StageUnit> units,
    Optional<String> verification) {}
