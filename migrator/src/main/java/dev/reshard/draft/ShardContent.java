package dev.reshard.draft;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import dev.reshard.preflight.CheckSession;
import dev.reshard.preflight.TableSize;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one shard has, save the catalogs' own and our schema. Immutable.
 *
 * @param extensions tables that belong to an extension
 * @param foreignKeys of one column, as most are
 */
record ShardContent(
    SortedMap<TableId, Table> tables,
    Map<TableId, TableSize> sizes,
    Set<TableId> extensions,
    List<ForeignKey> foreignKeys) {
  private static final String TABLES =
      """
      SELECT n.nspname, c.relname, EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
               AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
         AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'reshard')""";

  private static final String FOREIGN_KEYS =
      """
      SELECT cn.nspname, c.relname, ca.attname, pn.nspname, p.relname, pa.attname
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
        JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
        JOIN pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = k.conkey[1]
        JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = k.confkey[1]
       WHERE k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1""";

  /** To count one table, or to read some keys of it. */
  private static final Duration LIMIT = Duration.ofSeconds(1);

  /** A child's column refers to a parent's. */
  record ForeignKey(TableId child, String column, TableId parent, String parentColumn) {}

  static ShardContent read(CheckSession session) throws SQLException {
    Set<TableId> extensions = new LinkedHashSet<>();
    List<TableId> ids =
        session.query(
            TABLES,
            row -> {
              TableId id = new TableId(row.getString(1), row.getString(2));
              if (row.getBoolean(3)) {
                extensions.add(id);
              }
              return id;
            });
    SortedMap<TableId, Table> tables = session.tables(ids);
    return new ShardContent(
        tables,
        TableSize.of(session, tables),
        extensions,
        session.query(
            FOREIGN_KEYS,
            row ->
                new ForeignKey(
                    new TableId(row.getString(1), row.getString(2)),
                    row.getString(3),
                    new TableId(row.getString(4), row.getString(5)),
                    row.getString(6))));
  }

  boolean has(TableId id, String column) {
    return tables.containsKey(id) && tables.get(id).hasColumn(column);
  }

  /** Whether it has a row in one of the tables. */
  boolean isUsed() {
    return sizes.values().stream().anyMatch(size -> size.pages() > 0);
  }

  /**
   * Counts the rows of tables that are small enough; others are absent.
   *
   * @param most pages of a table
   */
  Map<TableId, Long> count(CheckSession session, Set<TableId> which, long most)
      throws SQLException {
    Map<TableId, Long> counts = new TreeMap<>();
    for (TableId id : which) {
      if (sizes.containsKey(id) && sizes.get(id).pages() <= most) {
        session
            .queryWithin(LIMIT, "SELECT count(*) FROM " + id.quoted(), row -> row.getLong(1))
            .ifPresent(rows -> counts.put(id, rows.get(0)));
      }
    }
    return counts;
  }

  /**
   * The shard keys of some rows of some tables.
   *
   * @param keys each table's key column
   * @param wanted keys of each table
   */
  List<String> keys(CheckSession session, Map<TableId, String> keys, int wanted, Duration all)
      throws SQLException {
    List<String> found = new ArrayList<>();
    long end = System.nanoTime() + all.toNanos();
    for (Map.Entry<TableId, String> each : keys.entrySet()) {
      TableId id = each.getKey();
      if (!has(id, each.getValue()) || System.nanoTime() - end > 0) {
        continue;
      }
      TableSize.Sample sample = sizes.get(id).sample(wanted);
      String key = TableId.quote(each.getValue());
      Optional<List<String>> read =
          session.queryWithin(
              LIMIT,
              "SELECT %s::text FROM %s%s WHERE %s IS NOT NULL AND %s LIMIT %d"
                  .formatted(
                      key, id.quoted(), sample.clause(), key, sample.condition(), sample.limit()),
              row -> row.getString(1));
      read.ifPresent(found::addAll);
    }
    return found;
  }
}
