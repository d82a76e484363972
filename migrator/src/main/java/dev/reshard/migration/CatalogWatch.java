package dev.reshard.migration;

import dev.reshard.apply.Lane;
import dev.reshard.control.MigrationState;
import dev.reshard.control.RefusedException;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.TableShape.Change;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Table;
import dev.reshard.schema.RowKeys;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every second whether somebody altered, rewrote, attached or detached a table that is
 * replicated: the stream says nothing of most of it (HAZARDS F4-F6); or altered one that is copied,
 * so that its rows do not fit. Then it asks for a pause, while replicating once the shard's lanes
 * have come to where the change was made: a lane that stood before it would meet rows of the old
 * shape at a destination that has the new one already. Thread-safe.
 */
public final class CatalogWatch implements Service {
  private static final Logger log = LoggerFactory.getLogger(CatalogWatch.class);
  private static final String AS_THEY_WERE = "as they were";

  /** A look may take seconds where there are many tables, and looks take a tenth of the time. */
  private static final Duration FRESH = Duration.ofMinutes(1);

  static final String NOT_LOOKED = "not looked at for " + FRESH.toSeconds() + " s";

  /**
   * What was seen on one shard.
   *
   * @param position all that was committed there before it was seen
   */
  private record Found(String text, Lsn position) {}

  private final Migration migration;
  private final Replication replication;
  private final Consumer<String> pause;
  private final Runnable altered;
  private final Map<ShardId, Found> found = new TreeMap<>();
  private final CatalogReader catalogs;
  private final RepeatedLook watch = new RepeatedLook("catalog", this::look);
  private final RepeatedLook partitions = new RepeatedLook("partitions", this::preparePartitions);
  private volatile List<String> unprepared = List.of();
  private volatile OptionalLong comparedNanos = OptionalLong.empty();

  /**
   * Starts nothing.
   *
   * @param pause pauses the migration, for the reason that it is given
   * @param altered is told when tables are taken as they are now
   */
  public CatalogWatch(
      Migration migration, Replication replication, Consumer<String> pause, Runnable altered) {
    this.migration = migration;
    this.replication = replication;
    this.pause = pause;
    this.altered = altered;
    this.catalogs = new CatalogReader(migration.sessions());
  }

  /** To be called before a shard's anchor is taken: from then on changes count. */
  static void remember(Migration migration, ShardId shard, List<Table> tables) throws SQLException {
    Map<TableId, SortedMap<String, String>> shapes = new TreeMap<>();
    tables.forEach(table -> shapes.put(table.id(), TableShape.of(table)));
    migration.control().tableShapes().save(shard, shapes);
  }

  @Override
  public void start() {
    watch.start();
    partitions.start();
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return state.replicates() || state == MigrationState.COPYING;
  }

  /** Looks at once, for who is about to trust the gate. */
  public void compareNow() throws SQLException {
    synchronized (catalogs) { // what was read first is told first
      compare(read());
    }
  }

  private void look() throws SQLException {
    Map<ShardId, Map<TableId, Table>> now;
    MigrationState state;
    synchronized (catalogs) {
      now = read();
      state = migration.control().state();
      if (state.replicates()) {
        compare(now);
      }
    }
    if (state.replicates()) {
      reasonToPause().ifPresent(pause);
    } else if (state == MigrationState.COPYING) {
      tell(Map.of());
      whyNotToCopy(now).ifPresent(pause);
    } else {
      tell(Map.of()); // paused for it, or copied anew
    }
  }

  /**
   * New partitions are made to say whose rows they change; also in a pause, in which captures go
   * on. Beside the other looks, as who reads a partition keeps it waiting.
   */
  private void preparePartitions() throws SQLException {
    RowKeys keys =
        new RowKeys(migration.sessions(), migration.control().registry(), migration.name());
    List<String> problems = new ArrayList<>();
    for (Map.Entry<ShardId, Map<TableId, Table>> shard : read().entrySet()) {
      problems.addAll(keys.preparePartitions(shard.getKey(), shard.getValue().values()));
    }
    unprepared = problems;
  }

  /**
   * What keeps rows from being copied. Files and partitions may change: the next round looks at the
   * table anew. No lane is to be waited for: a table that was altered begins again.
   */
  private Optional<String> whyNotToCopy(Map<ShardId, Map<TableId, Table>> now) {
    List<String> problems = new ArrayList<>(refused(now));
    List<String> differences = differences(now, TableShape::filled);
    if (!differences.isEmpty()) {
      problems.add(
          "%s; to go on, %s, then 'reshard resume'"
              .formatted(String.join("; ", differences), TableShape.WAYS_ON));
    }
    return problems.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", problems));
  }

  private void compare(Map<ShardId, Map<TableId, Table>> now) throws SQLException {
    Map<ShardId, List<String>> changed = new TreeMap<>();
    boolean onlyColumns = true;
    for (Map.Entry<ShardId, Map<TableId, Table>> shard : now.entrySet()) {
      Map<TableId, List<Change>> changes = changes(shard.getKey(), now);
      for (Map.Entry<TableId, List<Change>> table : changes.entrySet()) {
        onlyColumns &= table.getValue().stream().allMatch(c -> c.kind().isOfColumns());
        changed
            .computeIfAbsent(shard.getKey(), s -> new ArrayList<>())
            .add(TableShape.text(shard.getKey(), table.getKey(), table.getValue()));
      }
    }
    if (!changed.isEmpty() && onlyColumns && differences(now, TableShape::columns).isEmpty()) {
      log.info("the same DDL was run on all shards: {}", changed);
      save(now);
      changed.clear();
    }
    tell(changed);
    comparedNanos = OptionalLong.of(System.nanoTime());
  }

  private void tell(Map<ShardId, List<String>> changed) throws SQLException {
    Map<ShardId, Found> next = new TreeMap<>();
    for (Map.Entry<ShardId, List<String>> shard : changed.entrySet()) {
      String text = String.join("; ", shard.getValue());
      Found before = foundOn(shard.getKey());
      boolean known = before != null && before.text.equals(text);
      next.put(shard.getKey(), known ? before : new Found(text, catalogs.position(shard.getKey())));
      if (!known) {
        log.warn("{}: {}", migration.name(), text);
      }
    }
    synchronized (this) {
      found.clear();
      found.putAll(next);
    }
  }

  private synchronized Found foundOn(ShardId shard) {
    return found.get(shard);
  }

  /** What is not as it was; a table that was never looked at before should be as elsewhere. */
  private Map<TableId, List<Change>> changes(ShardId shard, Map<ShardId, Map<TableId, Table>> all)
      throws SQLException {
    Map<TableId, Table> now = all.get(shard);
    Map<TableId, SortedMap<String, String>> before = migration.control().tableShapes().read(shard);
    Map<TableId, List<Change>> changes = new TreeMap<>();
    Map<TableId, SortedMap<String, String>> first = new TreeMap<>();
    boolean hasNewParts = false;
    for (TableId id : tables(shard)) {
      Table table = now.get(id);
      SortedMap<String, String> shape = table == null ? new TreeMap<>() : TableShape.of(table);
      SortedMap<String, String> known = before.get(id);
      if (known == null && table != null) {
        known = elsewhere(id, shard, all).map(t -> TableShape.asIn(t, table)).orElse(shape);
        if (known.equals(shape)) {
          first.put(id, shape);
        }
      }
      if (known != null) {
        List<Change> found =
            TableShape.changes(
                known, table == null ? shape : withoutHarmlessPartitions(shard, known, table));
        if (!found.isEmpty()) {
          changes.put(id, found);
        } else if (!shape.equals(known)) {
          first.put(id, shape); // a new partition, whose rows all came by messages
          hasNewParts = true;
        }
      }
    }
    migration.control().tableShapes().save(shard, first);
    if (hasNewParts) {
      altered.run(); // guards have no trigger on it yet
    }
    return changes;
  }

  private static Optional<Table> elsewhere(
      TableId id, ShardId shard, Map<ShardId, Map<TableId, Table>> all) {
    return all.keySet().stream()
        .filter(other -> !other.equals(shard))
        .map(other -> all.get(other).get(id))
        .filter(Objects::nonNull)
        .findFirst();
  }

  /**
   * The table's shape without new partitions that were attached empty: what came into them since
   * came by messages.
   */
  private SortedMap<String, String> withoutHarmlessPartitions(
      ShardId shard, SortedMap<String, String> known, Table table) throws SQLException {
    SortedMap<String, String> shape = TableShape.of(table);
    for (Table.Leaf partition : TableShape.newPartitions(known, table)) {
      if (partition.blocks() == 0 || !catalogs.hasOlderRows(shard, partition)) {
        shape = TableShape.without(shape, partition);
      }
    }
    return shape;
  }

  /**
   * Takes all tables as they are now, as an operator says that they are right.
   *
   * @param next the state that is to follow; while rows are copied only the columns matter, as each
   *     round looks at the tables anew
   * @throws RefusedException if a table's columns are not the same on all shards: rows would not
   *     fit; or if the stream does not tell of all rows
   */
  void accept(MigrationState next) throws SQLException {
    Map<ShardId, Map<TableId, Table>> now = read();
    List<String> problems = new ArrayList<>();
    List<String> differences = differences(now, columns(next));
    if (!differences.isEmpty()) {
      problems.add(
          "%s. %s, then resume"
              .formatted(String.join("; ", differences), capitalized(TableShape.WAYS_ON)));
    }
    problems.addAll(refused(now));
    if (!problems.isEmpty()) {
      throw new RefusedException(String.join("; ", problems));
    }
    if (next.replicates()) {
      save(now);
    }
    synchronized (this) {
      found.clear();
    }
    comparedNanos = OptionalLong.of(System.nanoTime());
  }

  /** Tables of which the stream does not tell all, or without a column that tells rows apart. */
  private List<String> refused(Map<ShardId, Map<TableId, Table>> now) {
    List<String> problems = new ArrayList<>();
    for (Map.Entry<ShardId, Map<TableId, Table>> shard : now.entrySet()) {
      for (Table table : shard.getValue().values()) {
        for (TableId leaf : TableShape.unlogged(table)) {
          problems.add(
              "table %s is UNLOGGED on %s; set it LOGGED, then resume"
                  .formatted(leaf, shard.getKey()));
        }
        for (TableId stranger : table.strangers()) {
          problems.add(
              "table %s on %s has %s as a child by INHERITS or as a foreign partition; take it out (NO INHERIT, or DETACH PARTITION), then resume"
                  .formatted(table.id(), shard.getKey(), stranger));
        }
        Set<String> keys = table.tellingColumns();
        keys.retainAll(migration.keyspace().ignoredOf(table.id()));
        if (!keys.isEmpty()) {
          problems.add(
              "keyspace.tables.ignored_columns names %s of table %s, which tell its rows apart; take them out, start the worker anew, then resume"
                  .formatted(keys, table.id()));
        }
      }
    }
    return problems;
  }

  private static String capitalized(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  /** A copy fills columns of the same type; NOT NULL and the like only matter afterwards. */
  private static Function<Table, SortedMap<String, String>> columns(MigrationState state) {
    return state == MigrationState.COPYING ? TableShape::filled : TableShape::columns;
  }

  private void save(Map<ShardId, Map<TableId, Table>> now) throws SQLException {
    for (Map.Entry<ShardId, Map<TableId, Table>> shard : now.entrySet()) {
      remember(migration, shard.getKey(), List.copyOf(shard.getValue().values()));
    }
    altered.run();
  }

  /** Tables whose columns are not the same everywhere, each with the difference. */
  private List<String> differences(
      Map<ShardId, Map<TableId, Table>> now, Function<Table, SortedMap<String, String>> columns) {
    List<String> differences = new ArrayList<>();
    Map<TableId, ShardId> pattern = new TreeMap<>();
    for (ShardId shard : now.keySet()) {
      for (TableId id : tables(shard)) {
        ShardId first = pattern.putIfAbsent(id, shard);
        if (first != null) {
          SortedMap<String, String> there = columns.apply(now.get(first).get(id));
          SortedMap<String, String> here = columns.apply(now.get(shard).get(id));
          TableShape.difference(id, first, there, shard, here).ifPresent(differences::add);
        }
      }
    }
    return differences;
  }

  private List<TableId> tables(ShardId shard) {
    List<TableId> tables = new ArrayList<>();
    if (migration.moves().shards().contains(shard)) {
      migration.keyspace().sharded().stream().map(ShardedTable::id).forEach(tables::add);
    }
    boolean references =
        migration.hasReference()
            && (shard.equals(migration.home()) || migration.newShards().contains(shard));
    if (references) {
      tables.addAll(migration.keyspace().reference());
    }
    return tables;
  }

  private Map<ShardId, Map<TableId, Table>> read() throws SQLException {
    Map<ShardId, Map<TableId, Table>> now = new TreeMap<>();
    for (ShardId shard : migration.captured()) {
      now.put(shard, catalogs.read(shard, tables(shard)));
    }
    return now;
  }

  /** What was found, once every lane of the shard has come to where it happened. */
  private Optional<String> reasonToPause() {
    Map<ShardId, Found> seen;
    synchronized (this) {
      seen = new TreeMap<>(found);
    }
    if (seen.isEmpty()) {
      return Optional.empty();
    }
    for (Lane lane : replication.lanes()) {
      Found source = seen.get(lane.config().source());
      if (source != null
          && !lane.status().isStopped()
          && lane.applied().compareTo(source.position) < 0) {
        return Optional.empty();
      }
    }
    return text(seen);
  }

  @Override
  public synchronized Optional<String> trouble() {
    return text(found).or(() -> unprepared.stream().findFirst());
  }

  /**
   * Open while all tables are as they were: what changed without a message is not on the other
   * side. After a cutover nothing pauses for it, as the way back must stay open.
   */
  public Gate gate() {
    return () -> {
      Optional<String> changed;
      synchronized (this) {
        changed = text(found);
      }
      boolean known = isFresh(comparedNanos);
      return new Gate.Verdict(
          "tables",
          known && changed.isEmpty(),
          known ? changed.orElse(AS_THEY_WERE) : NOT_LOOKED,
          AS_THEY_WERE,
          known ? "" : "wait, or look whether all shards are up");
    };
  }

  /** Whether what was seen at that moment may still be believed. */
  static boolean isFresh(OptionalLong nanos) {
    return nanos.isPresent() && System.nanoTime() - nanos.getAsLong() < FRESH.toNanos();
  }

  private static Optional<String> text(Map<ShardId, Found> seen) {
    return seen.isEmpty()
        ? Optional.empty()
        : Optional.of(seen.values().stream().map(Found::text).collect(Collectors.joining("; ")));
  }

  @Override
  public void close() {
    watch.close();
    partitions.close();
    catalogs.close();
  }
}
