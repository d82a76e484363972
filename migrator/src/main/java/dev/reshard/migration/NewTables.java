package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.preflight.TableLists;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Looks whether somebody made a table in the keyspace's schemas after the migration began. It has
 * no copy, no guard and no way back: rows that are in it would stay behind in a cutover, or a
 * rollback. Thread-safe.
 */
public final class NewTables implements Service {
  private static final String NONE = "none";

  private final Migration migration;
  private final CatalogReader catalogs;
  private final RepeatedLook watch = new RepeatedLook("new tables", this::look);
  private volatile Map<TableId, Set<ShardId>> found = Map.of();
  private volatile OptionalLong lookedNanos = OptionalLong.empty();

  /** Starts nothing. */
  public NewTables(Migration migration) {
    this.migration = migration;
    this.catalogs = new CatalogReader(migration.sessions());
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return state.replicates() || state == MigrationState.COPYING;
  }

  @Override
  public void start() {
    watch.start();
  }

  private void look() throws SQLException {
    Map<TableId, Set<ShardId>> now = new TreeMap<>();
    for (ShardId shard : migration.moves().shards()) {
      for (TableId table :
          catalogs.ask(
              shard,
              session ->
                  TableLists.newTables(
                      session, migration.spec().keyspace(), migration.keyspace()))) {
        now.computeIfAbsent(table, id -> new TreeSet<>()).add(shard);
      }
    }
    found = now;
    lookedNanos = OptionalLong.of(System.nanoTime());
  }

  @Override
  public Optional<String> trouble() {
    Map<TableId, Set<ShardId>> now = found;
    return now.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s came after the migration began: their rows are not moved. %s"
                .formatted(text(now), remedy()));
  }

  /** Open while there is none. */
  public Gate gate() {
    return () -> {
      Map<TableId, Set<ShardId>> now = found;
      boolean known = CatalogWatch.isFresh(lookedNanos);
      return new Gate.Verdict(
          "new tables",
          known && now.isEmpty(),
          known ? (now.isEmpty() ? NONE : text(now)) : CatalogWatch.NOT_LOOKED,
          NONE,
          known ? remedy() : "wait, or look whether all shards are up");
    };
  }

  private static String remedy() {
    return "Move them out of the schema until 'reshard complete', or name them under keyspace.tables.ignored in the file and start the worker anew: rows of buckets that move stay behind in them then; before a cutover, 'reshard cancel' and a new run take them along";
  }

  private static String text(Map<TableId, Set<ShardId>> tables) {
    StringBuilder text = new StringBuilder();
    tables.forEach(
        (table, shards) ->
            text.append(text.isEmpty() ? "" : ", ").append(table).append(" on ").append(shards));
    return text.toString();
  }

  @Override
  public void close() {
    watch.close();
    catalogs.close();
  }
}
