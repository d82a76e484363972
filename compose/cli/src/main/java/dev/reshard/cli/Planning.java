package dev.reshard.cli;

import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.plan.Plan;
import dev.reshard.plan.Planner;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import dev.reshard.preflight.Unreachable;
import dev.reshard.preflight.Unreachable.Hints;
import dev.reshard.routing.Directory;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.routing.StoredMap;
import dev.reshard.spec.Spec;
import dev.reshard.spec.SpecException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What the migration file, the stored map and a migration under way say together: who owns what,
 * and what moves. Refuses a file that contradicts what is stored. Confined to one thread.
 */
final class Planning {
  /** How many differences between the file's map and the stored one an error shows. */
  private static final int DIFFERENCES = 3;

  private final ShardSessions sessions;
  private final ControlStore control;
  private final String file;
  private final Hints hints;
  private Spec spec;

  /**
   * Asks nothing yet.
   *
   * @param file what errors call the migration file
   */
  Planning(Spec spec, ShardSessions sessions, ControlStore control, String file) {
    this.spec = spec;
    this.sessions = sessions;
    this.control = control;
    this.file = file;
    this.hints = Hints.inFile(file);
  }

  /** The file's, and a directory's keys once they were read. */
  Spec spec() {
    return spec;
  }

  /** Whether nobody has stored this migration yet. */
  boolean isNew() throws SQLException {
    return explained(() -> !control.isInstalled() || control.load().isEmpty());
  }

  /** What is asked of the control shard. */
  @FunctionalInterface
  private interface Question<T> {
    T ask() throws SQLException;
  }

  /**
   * The answer of the control shard.
   *
   * @throws UnreachableException if it gives us no session
   */
  private <T> T explained(Question<T> question) throws SQLException {
    return explained(spec.control(), question);
  }

  private <T> T explained(ShardId asked, Question<T> question) throws SQLException {
    try {
      return question.ask();
    } catch (SQLException e) {
      Optional<Unreachable> why = Unreachable.of(sessions.address(asked), hints, e);
      throw why.isPresent() ? new UnreachableException(why.get(), e) : e;
    }
  }

  /**
   * The stored map, or the one of the file if the keyspace is not known yet.
   *
   * @throws SpecException if the file's map is not one, or the stored one is of other buckets
   */
  ShardMap map() throws SQLException {
    Optional<StoredMap> stored = storedAsPlaced();
    return stored.isPresent() ? stored.get().map() : mapOfFile();
  }

  /**
   * The stored map, after a directory was read.
   *
   * @throws SpecException if it is of other buckets than the file's
   */
  Optional<StoredMap> storedAsPlaced() throws SQLException {
    readDirectory();
    Optional<StoredMap> stored = stored();
    String placement = spec.keyspace().buckets().describe();
    if (stored.isPresent() && !stored.get().partitioning().equals(placement)) {
      throw contradiction(
          "keyspace.buckets: the file says '%s', the map is stored as '%s'; rows lie where the stored one put them"
              .formatted(placement, stored.get().partitioning()));
    }
    return stored;
  }

  /** A directory's keys, once: as they are stored, or else as its table has them now. */
  void readDirectory() throws SQLException {
    if (!(spec.keyspace().buckets() instanceof DirectoryBuckets directory) || directory.isRead()) {
      return;
    }
    try {
      spec = explained(() -> withDirectory(directory));
    } catch (IllegalArgumentException e) {
      throw contradiction("keyspace.buckets.directory: " + e.getMessage());
    }
  }

  private Spec withDirectory(DirectoryBuckets directory) throws SQLException {
    try (Connection connection = sessions.open(spec.control(), "map")) {
      String keyspace = spec.keyspace().name();
      Optional<StoredMap> stored = ShardMapStore.load(connection, keyspace);
      if (stored.isEmpty()) {
        Directory read = Directory.read(connection, directory, spec.shards().keySet());
        return spec.with(read.buckets(), read.owners());
      }
      return stored.get().partitioning().equals(directory.describe())
          ? spec.with(ShardMapStore.withKeys(connection, keyspace, directory), Map.of())
          : spec;
    }
  }

  /**
   * Who owns what by the file.
   *
   * @throws SpecException if it does not say so
   */
  ShardMap mapOfFile() {
    try {
      return ShardMap.of(1, spec.keyspace().buckets().count(), spec.from());
    } catch (IllegalArgumentException e) {
      throw new SpecException(
          file,
          List.of(
              spec.from().isEmpty()
                  ? "from is missing: no map of keyspace %s is stored yet"
                      .formatted(spec.keyspace().name())
                  : "from: " + e.getMessage()));
    }
  }

  /**
   * A file that knows another map than the stored one was written for another day; but one whose
   * migration is stored says what was before it.
   *
   * @throws SpecException if the file contradicts the stored map
   */
  private void refuseOther(StoredMap stored) {
    if (spec.from().isEmpty()) {
      return;
    }
    Moves differences = Moves.between(stored.map(), mapOfFile());
    if (!differences.all().isEmpty()) {
      throw contradiction(
          "from: %s (epoch %d); leave 'from' out: the stored map counts"
              .formatted(
                  differences.all().stream()
                      .limit(DIFFERENCES)
                      .map(
                          move ->
                              "of buckets %s the file says %s, the map says %s"
                                  .formatted(move.buckets(), move.destination(), move.source()))
                      .collect(Collectors.joining("; ")),
                  stored.map().epoch()));
    }
  }

  private SpecException contradiction(String text) {
    return new SpecException(file, List.of(text));
  }

  /** The stored map; empty if the keyspace is not known yet. */
  Optional<StoredMap> stored() throws SQLException {
    return explained(
        () -> {
          try (Connection connection = sessions.open(spec.control(), "map")) {
            return ShardMapStore.load(connection, spec.keyspace().name());
          }
        });
  }

  /**
   * From today's map to the file's target; of a migration under way, what was stored.
   *
   * @throws SpecException if the file of a new migration contradicts the stored map, or that of one
   *     under way takes back a column that it left out
   */
  Plan plan() throws SQLException {
    Optional<StoredMap> known = storedAsPlaced();
    requireLeftOut();
    boolean isNew = isNew();
    if (isNew && known.isPresent()) {
      refuseOther(known.get());
    }
    ShardMap map = known.isPresent() ? known.get().map() : mapOfFile();
    Optional<MigrationRecord> underWay =
        isNew
            ? Optional.empty()
            : control.load().filter(stored -> stored.state() != MigrationState.CLEANED);
    if (underWay.isPresent()) {
      ShardMap before = before(underWay.get(), map);
      return new Plan(before, before.with(underWay.get().moves().all(), before.epoch()));
    }
    return planFrom(map);
  }

  /**
   * Whether the file still leaves out each column that rows were moved without. One that no shard
   * has, or that tells rows apart, nobody ever did without: its name was a mistake, and may be
   * corrected.
   *
   * @throws SpecException if it does not
   */
  void requireLeftOut() throws SQLException {
    if (isNew()) {
      return;
    }
    MigrationRecord stored = control.load().orElseThrow();
    boolean moves =
        stored.state().replicates()
            || stored.state() == MigrationState.COPYING
            || stored.state() == MigrationState.PAUSED;
    Map<TableId, Set<String>> back = moves ? takenBack() : Map.of();
    if (!back.isEmpty()) {
      throw new SpecException(
          file,
          back.entrySet().stream()
              .map(
                  table ->
                      ("keyspace.tables.ignored_columns.%s: column %s is not named any more, but"
                              + " rows of migration %s were moved without it: where they went it has"
                              + " its default, or an old value. From now on that would be taken for"
                              + " the application's, and no rollback would mend it. Put it back; to"
                              + " move its values too, 'reshard cancel' with it in the file, then"
                              + " begin a new migration without it")
                          .formatted(
                              table.getKey(), String.join(", ", table.getValue()), stored.name()))
              .toList());
    }
  }

  private Map<TableId, Set<String>> takenBack() throws SQLException {
    Map<TableId, Set<String>> named = spec.keyspace().ignoredColumns();
    Map<TableId, Set<String>> gone = control.leftOut().read();
    gone.forEach((table, columns) -> columns.removeAll(named.getOrDefault(table, Set.of())));
    gone.values().removeIf(Set::isEmpty);
    Map<TableId, Set<String>> back = new TreeMap<>();
    for (ShardId shard : gone.isEmpty() ? Set.<ShardId>of() : spec.shards().keySet()) {
      for (Table table : explained(shard, () -> tables(shard, gone.keySet()))) {
        Set<String> there = new TreeSet<>();
        table.columns().forEach(column -> there.add(column.name()));
        there.retainAll(gone.get(table.id()));
        there.removeAll(table.tellingColumns());
        if (!there.isEmpty()) {
          back.computeIfAbsent(table.id(), id -> new TreeSet<>()).addAll(there);
        }
      }
    }
    return back;
  }

  private Collection<Table> tables(ShardId shard, Set<TableId> ids) throws SQLException {
    try (Connection connection = sessions.open(shard, "file")) {
      return Catalog.readAll(connection, ids).values();
    }
  }

  /** As if the file's map were stored; empty if the file has none. */
  Optional<Plan> planOfFile() {
    return spec.from().isEmpty() ? Optional.empty() : Optional.of(planFrom(mapOfFile()));
  }

  private Plan planFrom(ShardMap map) {
    try {
      Spec.Target to =
          spec.to() instanceof Spec.Target.Keys keys
              ? keys.in(map, spec.keyspace().buckets())
              : spec.to();
      return Planner.plan(map, to);
    } catch (IllegalArgumentException e) {
      throw new SpecException(file, List.of("to: " + e.getMessage()));
    }
  }

  /** Who owned what before a migration: its moves taken back, whether they have happened or not. */
  static ShardMap before(MigrationRecord stored, ShardMap map) {
    return map.with(stored.moves().all().stream().map(Move::reversed).toList(), map.epoch());
  }
}
