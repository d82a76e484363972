package dev.reshard.copy;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.ColumnType;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Where rows of a later round wait, for one transaction, until those that are not there yet are
 * taken over. A row that is there came through the stream, and is as new. Never by a bare {@code ON
 * CONFLICT DO NOTHING}, which would swallow a row that meets another one under another unique index
 * (HAZARDS F7). Confined to the thread of its connection.
 */
final class Staging {
  private final Connection connection;
  private final Table table;
  private final TableId id;

  private Staging(Connection connection, Table table) {
    this.connection = connection;
    this.table = table;
    this.id = new TableId("pg_temp", "reshard_" + table.oid());
  }

  /** Makes it, empty, in the transaction under way. */
  static Staging open(Connection connection, Table table) throws SQLException {
    Staging staging = new Staging(connection, table);
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TEMPORARY TABLE IF NOT EXISTS %s ON COMMIT DELETE ROWS AS SELECT %s FROM %s WITH NO DATA"
              .formatted(TableId.quote(staging.id.name()), staging.columns(), table.id().quoted()));
    }
    return staging;
  }

  TableId id() {
    return id;
  }

  /**
   * Takes over what is not there yet.
   *
   * @return how many rows
   */
  long merge() throws SQLException {
    Map<String, ColumnType> types = ColumnType.of(connection, table.id());
    String same =
        table.identity().columns().stream()
            .map(
                name ->
                    "t.%s %s s.%s"
                        .formatted(
                            TableId.quote(name), types.get(name).equals(), TableId.quote(name)))
            .collect(Collectors.joining(" AND "));
    try (Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate(
          "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s s WHERE NOT EXISTS (SELECT FROM %s t WHERE %s)"
              .formatted(
                  table.id().quoted(),
                  columns(),
                  columns(),
                  id.quoted(),
                  table.id().quoted(),
                  same));
    }
  }

  private String columns() {
    return table.stored().stream().map(Column::quoted).collect(Collectors.joining(", "));
  }
}
