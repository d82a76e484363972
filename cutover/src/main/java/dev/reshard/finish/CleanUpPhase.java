package dev.reshard.finish;

import dev.reshard.change.ChangeTopics;
import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Item;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit;
import dev.reshard.keyspace.ShardId;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Phase;
import dev.reshard.migration.Service;
import dev.reshard.migration.Throttles;
import dev.reshard.migration.UndoneException;
import dev.reshard.postgres.Publications;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardConnections;
import dev.reshard.schema.RowKeys;
import dev.reshard.schema.StrongLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends replication, purges, and undoes what the registry holds: at the end of a migration, or when
 * it is cancelled, and then ids of destinations are given back too. Can be run again at any point.
 */
public final class CleanUpPhase implements Phase {
  private static final Logger log = LoggerFactory.getLogger(CleanUpPhase.class);
  private static final int TRIES = 20;
  private static final long RETRY_MS = 500;

  private final MigrationState state;
  private final Migration migration;
  private final Guards guards;
  private final List<Service> services;
  private final Throttles throttles;
  private final BooleanSupplier ends;

  /**
   * For one of the two states.
   *
   * @param state CLEANING_UP or CANCELLED
   * @param services are closed first: nobody may stream from what is dropped
   * @param throttles of each shard that is purged
   * @param ends true: the worker ends, and another one begins the purge again
   */
  public CleanUpPhase(
      MigrationState state,
      Migration migration,
      Guards guards,
      List<Service> services,
      Throttles throttles,
      BooleanSupplier ends) {
    this.state = state;
    this.migration = migration;
    this.guards = guards;
    this.services = List.copyOf(services);
    this.throttles = throttles;
    this.ends = ends;
  }

  @Override
  public MigrationState state() {
    return state;
  }

  @Override
  public Outcome run() throws Exception {
    for (int i = services.size() - 1; i >= 0; i--) {
      services.get(i).close();
    }
    Optional<String> contradiction = contradiction();
    if (contradiction.isPresent()) {
      throw new UndoneException(contradiction.get());
    }
    CleanUpOptions options = CleanUpOptions.parse(migration.control().cleanUp());
    undo(List.of(CleanupRegistry.Kind.REPLICATION_SLOT, CleanupRegistry.Kind.PUBLICATION));
    Map<ShardId, Long> purged = new Purge(migration, options.keepSource(), throttles, ends).run();
    SchemaThatStays.keep(
        migration,
        migration.control().units().stream()
            .filter(unit -> unit.attempt() > 0)
            .map(StageUnit::destination)
            .toList());
    undo(List.of(CleanupRegistry.Kind.values()));
    if (options.dropFences()) {
      for (ShardId shard : migration.moves().shards()) {
        guards.dropFences(shard);
      }
    }
    for (ShardId shard : migration.captured()) {
      forget(shard);
    }
    migration.control().releaseClaims();
    return new Outcome(MigrationState.CLEANED, "rows purged: " + purged(purged));
  }

  /** Why nothing must be deleted; empty if the shards agree with the control database. */
  Optional<String> contradiction() throws SQLException {
    List<String> found = guards.contradictions();
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s. Nothing was deleted. If a hand-over was interrupted, the worker ends it first. Else the control database has lost what it had noted, by a failover or a restore: bring it back to its newest state. Then ask again"
                .formatted(String.join("; ", found)));
  }

  /** Undoes everything of some kinds, trying again what fails. */
  private void undo(List<CleanupRegistry.Kind> kinds) throws Exception {
    CleanupRegistry registry = migration.control().registry();
    List<String> left = List.of();
    for (int attempt = 1; attempt <= TRIES; attempt++) {
      left = new ArrayList<>();
      try (ShardConnections shards = new ShardConnections(migration.sessions(), "clean up")) {
        for (Item item : registry.items()) {
          if (kinds.contains(item.kind())) {
            try {
              undo(item, shards);
              registry.undone(item);
            } catch (SQLException | RuntimeException e) {
              log.warn("{} could not be undone", item, e);
              left.add(item + ": " + e.getMessage());
            }
          }
        }
      }
      if (left.isEmpty()) {
        return;
      }
      Thread.sleep(RETRY_MS); // whoever is in the way may be gone then
    }
    throw new UndoneException(
        "could not be removed: %s. Nothing is unsafe; mend that, and it goes on by itself"
            .formatted(left));
  }

  private void undo(Item item, ShardConnections shards) throws SQLException, InterruptedException {
    switch (item.kind()) {
      case REPLICATION_SLOT -> ReplicationSlots.drop(shards.on(item.shard()), item.name());
      case PUBLICATION -> Publications.drop(shards.on(item.shard()), item.name());
      case GUARD -> guards.disarm(item.shard());
      case TOPIC -> ChangeTopics.delete(migration.kafka(), item.name());
      case SEQUENCE_RANGE -> {
        if (state == MigrationState.CANCELLED && !wasTried(item.shard())) {
          guards.giveBackRanges(item.shard());
        } else {
          guards.settleRanges(item.shard());
        }
      }
      case INDEX -> StrongLock.alone(shards.on(item.shard()), item.undo());
      case REPLICA_IDENTITY -> RowKeys.giveIdentityBack(shards.on(item.shard()), item.undo());
      case SCHEMA_OBJECT -> StrongLock.politely(shards.on(item.shard()), item.undo());
    }
  }

  /** Whether a shard may have been opened to applications: then it has given ids out. */
  private boolean wasTried(ShardId shard) throws SQLException {
    return migration.control().units().stream()
        .anyMatch(unit -> unit.destination().equals(shard) && unit.attempt() > 0);
  }

  /** Takes this migration's rows out of our own tables, and the schema where nothing is left. */
  private void forget(ShardId shard) throws SQLException {
    try (Connection connection = migration.sessions().open(shard, "clean up")) {
      ShardLeftovers.forget(connection, migration.name(), shard.equals(migration.spec().control()));
    } finally {
      migration.sessions().released(shard);
    }
  }

  /** For people: {@code 53725 from a, 46365 from b}. */
  private static String purged(Map<ShardId, Long> rows) {
    return rows.isEmpty()
        ? "none"
        : rows.entrySet().stream()
            .map(entry -> "%d from %s".formatted(entry.getValue(), entry.getKey()))
            .collect(Collectors.joining(", "));
  }
}
