package dev.reshard.control;

import dev.reshard.keyspace.TableId;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The columns that rows of one migration were moved without, because the migration file left them
 * out then. Other shards do not have their values, whatever the file says later. Thread-safe.
 */
public final class LeftOutColumns {
  private final String migration;
  private final Database database;

  LeftOutColumns(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /**
   * Stores what rows are moved without from now on, in place of what was stored; to be called
   * before one is.
   *
   * @param columns names of columns, by their tables
   * @param lease the worker's
   * @throws LeaseLostException if another worker holds a newer one
   */
  public void save(Map<TableId, Set<String>> columns, long lease) throws SQLException {
    database.transaction(
        () -> {
          requireHeld(lease);
          database.update("DELETE FROM reshard.left_out_column WHERE migration = ?", migration);
          for (Map.Entry<TableId, Set<String>> table : columns.entrySet()) {
            for (String column : table.getValue()) {
              database.update(
                  "INSERT INTO reshard.left_out_column VALUES (?, ?, ?, ?)",
                  migration,
                  table.getKey().schema(),
                  table.getKey().name(),
                  column);
            }
          }
          return null;
        });
  }

  /** Until the transaction ends nobody else can take it. */
  private void requireHeld(long lease) throws SQLException {
    List<Long> held =
        database.query(
            "SELECT lease FROM reshard.worker WHERE migration = ? AND lease = ? FOR SHARE",
            row -> row.getLong(1),
            migration,
            lease);
    if (held.isEmpty()) {
      throw new LeaseLostException(migration, lease);
    }
  }

  /** Names of columns, by their tables; empty until a row is about to be moved. */
  public Map<TableId, Set<String>> read() throws SQLException {
    Map<TableId, Set<String>> columns = new TreeMap<>();
    database.query(
        "SELECT table_schema, table_name, column_name FROM reshard.left_out_column WHERE migration = ?",
        row ->
            columns
                .computeIfAbsent(
                    new TableId(row.getString(1), row.getString(2)), table -> new TreeSet<>())
                .add(row.getString(3)),
        migration);
    return columns;
  }
}
