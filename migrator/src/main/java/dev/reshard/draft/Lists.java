package dev.reshard.draft;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which list each table belongs into. Immutable.
 *
 * @param sharded tables with their key column
 * @param reference small ones, alike on every shard, that others refer to
 * @param ignored those of extensions, and of tools that roll out schemas
 * @param open the others: a question; with the column that the shard key may refer to, going by the
 *     table's name, or nothing
 */
record Lists(
    Map<TableId, String> sharded,
    Set<TableId> reference,
    Set<TableId> ignored,
    Map<TableId, String> open) {
  private static final Set<String> TOOLS =
      Set.of(
          "schema_migrations",
          "ar_internal_metadata",
          "flyway_schema_history",
          "databasechangelog",
          "databasechangeloglock",
          "alembic_version",
          "django_migrations",
          "_prisma_migrations",
          "goose_db_version",
          "knex_migrations");

  /**
   * Places tables.
   *
   * @param contents of the shards that have rows
   * @param counts of small tables, by shard
   */
  static Lists place(
      Collection<ShardContent> contents, Collection<Map<TableId, Long>> counts, String key) {
    Map<TableId, Table> tables = new TreeMap<>();
    contents.forEach(content -> content.tables().forEach(tables::putIfAbsent));
    Map<TableId, String> sharded = new TreeMap<>();
    Set<TableId> ignored = new TreeSet<>();
    tables.forEach(
        (id, table) -> {
          if (TOOLS.contains(id.name())
              || contents.stream().anyMatch(content -> content.extensions().contains(id))) {
            ignored.add(id);
          } else if (table.hasColumn(key)) {
            sharded.put(id, key);
          }
        });
    sharded.putAll(parents(contents, sharded.keySet(), key));
    ignored.removeAll(sharded.keySet());
    Set<TableId> reference = new TreeSet<>();
    Map<TableId, String> open = new TreeMap<>();
    tables.forEach(
        (id, table) -> {
          if (sharded.containsKey(id) || ignored.contains(id)) {
            return;
          }
          if (isReference(id, contents, counts)) {
            reference.add(id);
          } else {
            open.put(id, isNamedBy(key, id) ? onlyKeyColumn(table) : "");
          }
        });
    return new Lists(sharded, reference, ignored, open);
  }

  /** What the key refers to has it under another name: {@code tenant_id} refers to tenants.id. */
  private static Map<TableId, String> parents(
      Collection<ShardContent> contents, Set<TableId> sharded, String key) {
    Map<TableId, String> parents = new TreeMap<>();
    contents.stream()
        .flatMap(content -> content.foreignKeys().stream())
        .filter(fk -> fk.column().equals(key) && sharded.contains(fk.child()))
        .filter(fk -> !sharded.contains(fk.parent()))
        .forEach(fk -> parents.put(fk.parent(), fk.parentColumn()));
    return parents;
  }

  /** {@code tenant_id} means the table tenant, or tenants. */
  private static boolean isNamedBy(String key, TableId id) {
    String one = key.replaceFirst("_?id$", "");
    return !one.isEmpty()
        && List.of(one, one + "s", one + "es", one.replaceFirst("y$", "ies")).contains(id.name());
  }

  private static String onlyKeyColumn(Table table) {
    return table.primaryKey().size() == 1 ? table.primaryKey().get(0) : "";
  }

  private static boolean isReference(
      TableId id, Collection<ShardContent> contents, Collection<Map<TableId, Long>> counts) {
    Set<Optional<Long>> rows = new HashSet<>();
    counts.forEach(count -> rows.add(Optional.ofNullable(count.get(id))));
    boolean alike = rows.size() == 1 && rows.iterator().next().filter(n -> n > 0).isPresent();
    return alike
        && contents.stream()
            .flatMap(content -> content.foreignKeys().stream())
            .anyMatch(fk -> fk.parent().equals(id));
  }

  /** The sharded list: a wildcard for a schema that has no table with a question. */
  List<String> shardedPatterns() {
    Set<String> asked = new TreeSet<>();
    open.keySet().forEach(id -> asked.add(id.schema()));
    Set<String> patterns = new TreeSet<>();
    for (TableId id : sharded.keySet()) {
      patterns.add(asked.contains(id.schema()) ? id.toString() : id.schema() + ".*");
    }
    return new ArrayList<>(patterns);
  }
}
