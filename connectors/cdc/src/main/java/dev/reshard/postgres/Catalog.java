package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads tables from a shard's catalog. Stateless; confined to the thread of the connection. */
public final class Catalog {
  private static final String TABLE =
      """
      SELECT c.oid, c.relkind = 'p', c.relreplident,
             (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
               WHERE i.indrelid = c.oid AND i.indisreplident)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p')""";

  private static final String COLUMNS =
      """
      SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
             a.attidentity = 'a', a.attlen = -1 AND a.attstorage <> 'p'
        FROM pg_attribute a
       WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped
       ORDER BY a.attnum""";

  /**
   * The columns of the index that identifies a row: the primary key, or the index named by REPLICA
   * IDENTITY USING INDEX. Deferrable, invalid and partial ones do not count (HAZARDS F2).
   */
  private static final String INDEX_COLUMNS =
      """
      SELECT a.attname
        FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
       WHERE i.indrelid = ? AND %s AND i.indisvalid AND i.indpred IS NULL
         AND k.place <= i.indnkeyatts
       ORDER BY k.place""";

  private static final String LEAVES =
      """
      SELECT n.nspname, c.relname, c.oid, c.relfilenode, pg_relation_size(c.oid) / 8192
        FROM pg_partition_tree(?) t JOIN pg_class c ON c.oid = t.relid
        JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE t.isleaf AND c.relkind = 'r'
       ORDER BY c.oid""";

  private static final String SELF =
      """
      SELECT n.nspname, c.relname, c.oid, c.relfilenode, pg_relation_size(c.oid) / 8192
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?""";

  private Catalog() {}

  /** A table that must be there. */
  public static Table read(Connection connection, TableId id) throws SQLException {
    return find(connection, id)
        .orElseThrow(() -> new SQLException("there is no table " + id, "42P01"));
  }

  /** A plain or partitioned table; empty if there is none of that name. */
  public static Optional<Table> find(Connection connection, TableId id) throws SQLException {
    long oid;
    boolean partitioned;
    String kind;
    String index;
    try (PreparedStatement statement = connection.prepareStatement(TABLE)) {
      statement.setString(1, id.schema());
      statement.setString(2, id.name());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        oid = row.getLong(1);
        partitioned = row.getBoolean(2);
        kind = row.getString(3);
        index = row.getString(4);
      }
    }
    List<Column> columns = columns(connection, oid);
    List<String> primaryKey = indexColumns(connection, oid, "i.indisprimary");
    Table.ReplicaIdentity identity =
        switch (kind) {
          case "d" ->
              new Table.ReplicaIdentity(
                  indexColumns(connection, oid, "i.indisprimary AND i.indimmediate"),
                  false,
                  "DEFAULT");
          case "i" ->
              new Table.ReplicaIdentity(
                  indexColumns(connection, oid, "i.indisreplident AND i.indimmediate"),
                  false,
                  index == null ? "DEFAULT" : "USING INDEX " + TableId.quote(index));
          case "f" ->
              new Table.ReplicaIdentity(
                  columns.stream().filter(c -> !c.generated()).map(Column::name).toList(),
                  true,
                  "FULL");
          default -> new Table.ReplicaIdentity(List.of(), false, "NOTHING");
        };
    List<Table.Leaf> leaves = leaves(connection, oid, partitioned);
    return Optional.of(new Table(id, oid, partitioned, columns, primaryKey, identity, leaves));
  }

  private static List<Column> columns(Connection connection, long oid) throws SQLException {
    List<Column> columns = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
      statement.setLong(1, oid);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          columns.add(
              new Column(
                  row.getString(1),
                  row.getString(2),
                  row.getBoolean(3),
                  row.getBoolean(4),
                  row.getBoolean(5),
                  row.getBoolean(6)));
        }
      }
    }
    return columns;
  }

  private static List<String> indexColumns(Connection connection, long oid, String which)
      throws SQLException {
    List<String> names = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(INDEX_COLUMNS.formatted(which))) {
      statement.setLong(1, oid);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          names.add(row.getString(1));
        }
      }
    }
    return names;
  }

  private static List<Table.Leaf> leaves(Connection connection, long oid, boolean partitioned)
      throws SQLException {
    List<Table.Leaf> leaves = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(partitioned ? LEAVES : SELF)) {
      statement.setLong(1, oid);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          TableId id = new TableId(row.getString(1), row.getString(2));
          leaves.add(new Table.Leaf(id, row.getLong(3), row.getLong(4), row.getLong(5)));
        }
      }
    }
    return leaves;
  }
}
