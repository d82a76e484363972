package dev.reshard.control;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tables that one migration began with. A table that is made later has rows that it never
 * copied: whatever pattern of the file it matches, nothing of it is deleted. Thread-safe.
 */
public final class MovedTables {
  private final String migration;
  private final Database database;

  MovedTables(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /**
   * The tables that the migration began with, as far as they are there; stores them if it has none.
   *
   * @param found what the file's lists make of the tables that are there now
   * @throws RefusedException if the file lists one of them otherwise than when it began
   */
  public Keyspace keep(Keyspace found) throws SQLException {
    Map<TableId, Optional<String>> stored =
        database.transaction(
            () -> {
              if (read().isEmpty()) {
                store(found);
              }
              return read();
            });
    Set<TableId> same = new HashSet<>();
    for (Map.Entry<TableId, Optional<String>> table : lists(found).entrySet()) {
      Optional<String> key = stored.get(table.getKey());
      if (key != null && !key.equals(table.getValue())) {
        throw new RefusedException(
            "the file has table %s as %s, and migration %s began with it as %s; nothing was done. Put it back under keyspace.tables as it was"
                .formatted(table.getKey(), text(table.getValue()), migration, text(key)));
      }
      if (key != null) {
        same.add(table.getKey());
      }
    }
    return new Keyspace(
        found.name(),
        found.partitioning(),
        found.sharded().stream().filter(table -> same.contains(table.id())).toList(),
        found.reference().stream().filter(same::contains).toList(),
        found.ignored());
  }

  /** The shard key of each table; none of a reference table. Empty before the migration began. */
  public Map<TableId, Optional<String>> read() throws SQLException {
    Map<TableId, Optional<String>> tables = new TreeMap<>();
    database.query(
        "SELECT table_schema, table_name, shard_key FROM reshard.moved_table WHERE migration = ?",
        row ->
            tables.put(
                new TableId(row.getString(1), row.getString(2)),
                Optional.ofNullable(row.getString(3))),
        migration);
    return tables;
  }

  private void store(Keyspace keyspace) throws SQLException {
    for (Map.Entry<TableId, Optional<String>> table : lists(keyspace).entrySet()) {
      database.update(
          "INSERT INTO reshard.moved_table VALUES (?, ?, ?, ?)",
          migration,
          table.getKey().schema(),
          table.getKey().name(),
          table.getValue().orElse(null));
    }
  }

  private static Map<TableId, Optional<String>> lists(Keyspace keyspace) {
    Map<TableId, Optional<String>> tables = new TreeMap<>();
    for (ShardedTable table : keyspace.sharded()) {
      tables.put(table.id(), Optional.of(table.key()));
    }
    keyspace.reference().forEach(table -> tables.put(table, Optional.empty()));
    return tables;
  }

  private static String text(Optional<String> key) {
    return key.map("a sharded one by %s"::formatted).orElse("a reference table");
  }
}
