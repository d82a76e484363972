package dev.reshard.apply;

import dev.reshard.change.RowChange;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a lane does about changed rows that are not copied yet (HAZARDS F8): one that came whole is
 * put in; the key of one that did not goes into {@code reshard.refetch}, and the next round of the
 * copy brings it. Fetching it now would read the future. Confined to the lane's thread.
 */
final class MissingRows {
  private final Statements statements;
  private final LaneConfig config;

  MissingRows(Statements statements, LaneConfig config) {
    this.statements = statements;
    this.config = config;
  }

  /**
   * Takes those of the updated rows that are not there.
   *
   * @return how many
   */
  int take(DestinationTable table, TableSql sql, List<Step.Update> rows) throws SQLException {
    List<String[]> whole = new ArrayList<>();
    List<String[]> wholeKeys = new ArrayList<>();
    List<String[]> keys = new ArrayList<>();
    for (Step.Update row : rows) {
      if (isWhole(row.values())) {
        whole.add(row.values());
        wholeKeys.add(row.key());
      } else {
        keys.add(row.key());
      }
    }
    int taken = 0;
    if (!whole.isEmpty()) {
      taken +=
          statements.prepare(sql.insertAbsent()).arrays(whole, table.columns().size()).execute();
      forget(table, wholeKeys);
    }
    if (!keys.isEmpty()) {
      taken +=
          ofTable(
                  "INSERT INTO reshard.refetch SELECT ?, ?, ?, ?, ?, ARRAY[%s] FROM %s WHERE NOT EXISTS (%s) ON CONFLICT (migration, source, table_schema, table_name, row_key) DO UPDATE SET key_columns = excluded.key_columns"
                      .formatted(keyNames(table), unnest(table), sql.selectKey()),
                  table)
              .array(table.rowKey().columns().toArray(String[]::new))
              .arrays(keys, table.rowKey().places().length)
              .execute();
    }
    return taken;
  }

  private static boolean isWhole(String[] values) {
    for (String value : values) {
      if (RowChange.isUnchanged(value)) {
        return false;
      }
    }
    return true;
  }

  /** These rows need not be fetched any more. */
  void forget(DestinationTable table, List<String[]> keys) throws SQLException {
    ofTable(
            "DELETE FROM reshard.refetch WHERE (migration, source, table_schema, table_name) = (?, ?, ?, ?) AND row_key IN (SELECT ARRAY[%s] FROM %s)"
                .formatted(keyNames(table), unnest(table)),
            table)
        .arrays(keys, table.rowKey().places().length)
        .execute();
  }

  /** No row of the table need be fetched any more. */
  void forgetAll(DestinationTable table) throws SQLException {
    ofTable(
            "DELETE FROM reshard.refetch WHERE (migration, source, table_schema, table_name) = (?, ?, ?, ?)",
            table)
        .execute();
  }

  private Statements.Bound ofTable(String sql, DestinationTable table) throws SQLException {
    return statements
        .prepare(sql)
        .text(config.migration())
        .text(config.source().name())
        .text(table.id().schema())
        .text(table.id().name());
  }

  private static String keyNames(DestinationTable table) {
    return names(table).stream().map(name -> "s." + name).collect(Collectors.joining(", "));
  }

  private static String unnest(DestinationTable table) {
    return TableSql.unnest(names(table));
  }

  private static List<String> names(DestinationTable table) {
    return TableSql.keyNames(table.rowKey().places());
  }
}
