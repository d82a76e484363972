package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Reads tables from a shard's catalog: any number of them with five queries. Columns that the
 * migration file has left out are not seen. Stateless; confined to the thread of the connection.
 */
public final class Catalog {
  private static final String IDENTITY_INDEX =
      """
      (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisreplident)""";

  private static final String TABLES =
      """
      SELECT n.nspname, c.relname, c.oid, c.relkind = 'p', c.relreplident, %s
        FROM unnest(?, ?) AS wanted(schema, name)
        JOIN pg_namespace n ON n.nspname = wanted.schema
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
       WHERE c.relkind IN ('r', 'p')"""
          .formatted(IDENTITY_INDEX);

  private static final String COLUMNS =
      """
      SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
             a.attgenerated <> '', a.attidentity = 'a', a.attlen = -1 AND a.attstorage <> 'p'
        FROM pg_attribute a
       WHERE a.attrelid = ANY (?) AND a.attnum > 0 AND NOT a.attisdropped
         AND NOT (%s)
       ORDER BY a.attrelid, a.attnum"""
          .formatted(IgnoredColumns.TEST);

  /**
   * The columns of the indexes that can identify a row: the primary key, and the index named by
   * REPLICA IDENTITY USING INDEX. Deferrable, invalid and partial ones do not count (HAZARDS F2).
   */
  private static final String INDEX_COLUMNS =
      """
      SELECT i.indrelid, a.attname, i.indisprimary, i.indisreplident, i.indimmediate
        FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
       WHERE i.indrelid = ANY (?) AND (i.indisprimary OR i.indisreplident)
         AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts
       ORDER BY i.indexrelid, k.place""";

  /** Columns of a leaf that count; a dropped one is missing, and so is one that is left out. */
  private static final String COUNTED =
      "FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT (%s)"
          .formatted(IgnoredColumns.TEST);

  private static final String LEAVES =
      """
      SELECT r.oid, l.nspname, c.relname, c.oid, c.relfilenode,
             (SELECT sum(hashint8extended(a.xmin::text::int8, a.attnum)::numeric) %% 1000000000000000
                %1$s)::int8,
             (SELECT sum(hashtextextended(
                      concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attnotnull,
                                a.attgenerated, a.attidentity, a.attcollation),
                      a.attnum)::numeric) %% 1000000000000000
                %1$s)::int8,
             pg_relation_size(c.oid) / 8192, c.relpersistence = 'p',
             (SELECT coalesce(sum(hashint8extended(h.xmin::text::int8, h.inhrelid::int8)::numeric)
                                %% 1000000000000000, 0)
                FROM pg_partition_ancestors(c.oid) p JOIN pg_inherits h ON h.inhrelid = p.relid)::int8,
             c.relreplident, %2$s
        FROM pg_class r
        CROSS JOIN LATERAL (
          SELECT t.relid FROM pg_partition_tree(r.oid) t WHERE r.relkind = 'p' AND t.isleaf
          UNION ALL SELECT r.oid WHERE r.relkind = 'r') leaf
        JOIN pg_class c ON c.oid = leaf.relid
        JOIN pg_namespace l ON l.oid = c.relnamespace
       WHERE r.oid = ANY (?) AND c.relkind = 'r'
       ORDER BY r.oid, c.oid"""
          .formatted(COUNTED, IDENTITY_INDEX);

  private static final String STRANGERS =
      """
      SELECT r.oid, n.nspname, c.relname
        FROM pg_class r
        CROSS JOIN LATERAL (
          SELECT t.relid FROM pg_partition_tree(r.oid) t WHERE r.relkind = 'p' AND t.isleaf
          UNION ALL
          SELECT h.inhrelid FROM pg_inherits h WHERE r.relkind = 'r' AND h.inhparent = r.oid) below
        JOIN pg_class c ON c.oid = below.relid
        JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE r.oid = ANY (?) AND (r.relkind = 'r' OR c.relkind = 'f')
       ORDER BY r.oid, c.oid""";

  private Catalog() {}

  /** A table that must be there. */
  public static Table read(Connection connection, TableId id) throws SQLException {
    return readInOrder(connection, List.of(id)).get(0);
  }

  /** A plain or partitioned table; empty if there is none of that name. */
  public static Optional<Table> find(Connection connection, TableId id) throws SQLException {
    return Optional.ofNullable(readAll(connection, List.of(id)).get(id));
  }

  /** Tables that must all be there, in the order of their names as given. */
  public static List<Table> readInOrder(Connection connection, List<TableId> ids)
      throws SQLException {
    Map<TableId, Table> found = readAll(connection, ids);
    List<Table> tables = new ArrayList<>();
    for (TableId id : ids) {
      Table table = found.get(id);
      if (table == null) {
        throw new SQLException("there is no table " + id, "42P01");
      }
      tables.add(table);
    }
    return tables;
  }

  /** Those of the plain or partitioned tables that are there. */
  public static SortedMap<TableId, Table> readAll(Connection connection, Collection<TableId> ids)
      throws SQLException {
    List<Found> found = tables(connection, ids);
    Array oids =
        connection.createArrayOf(
            "oid", found.stream().map(table -> table.oid).toArray(Long[]::new));
    Map<Long, List<Column>> columns = columns(connection, oids);
    Map<Long, List<FoundLeaf>> leaves = leaves(connection, oids);
    Map<Long, List<TableId>> strangers =
        byTable(
            connection, STRANGERS, oids, row -> new TableId(row.getString(2), row.getString(3)));
    Map<Long, List<KeyColumn>> keys = keyColumns(connection, withLeaves(connection, found, leaves));
    SortedMap<TableId, Table> tables = new TreeMap<>();
    for (Found table : found) {
      List<Column> own = columns.getOrDefault(table.oid, List.of());
      List<KeyColumn> key = keys.getOrDefault(table.oid, List.of());
      tables.put(
          table.id,
          new Table(
              table.id,
              table.oid,
              table.partitioned,
              own,
              key.stream().filter(KeyColumn::primary).map(KeyColumn::name).toList(),
              identity(table.identity, own, key),
              leaves.getOrDefault(table.oid, List.of()).stream()
                  .map(leaf -> leaf.with(identity(leaf.identity, own, keys.get(leaf.oid()))))
                  .toList(),
              strangers.getOrDefault(table.oid, List.of())));
    }
    return tables;
  }

  private static Array withLeaves(
      Connection connection, List<Found> tables, Map<Long, List<FoundLeaf>> leaves)
      throws SQLException {
    Set<Long> oids = new TreeSet<>();
    tables.forEach(table -> oids.add(table.oid));
    leaves.values().forEach(some -> some.forEach(leaf -> oids.add(leaf.oid())));
    return connection.createArrayOf("oid", oids.toArray());
  }

  private static Table.ReplicaIdentity identity(
      Identity identity, List<Column> columns, List<KeyColumn> found) {
    List<KeyColumn> keys = found == null ? List.of() : found;
    return switch (identity.kind) {
      case "d" ->
          new Table.ReplicaIdentity(
              said(keys.stream().filter(key -> key.primary && key.immediate), columns),
              false,
              "DEFAULT");
      case "i" ->
          new Table.ReplicaIdentity(
              said(keys.stream().filter(key -> key.identity && key.immediate), columns),
              false,
              identity.index == null ? "DEFAULT" : "USING INDEX " + TableId.quote(identity.index));
      case "f" ->
          new Table.ReplicaIdentity(
              columns.stream().filter(c -> !c.generated()).map(Column::name).toList(),
              true,
              "FULL");
      default -> new Table.ReplicaIdentity(List.of(), false, "NOTHING");
    };
  }

  /**
   * A key as changes say it. They say no column that the server computes: a key that holds one does
   * not tell rows apart.
   */
  private static List<String> said(Stream<KeyColumn> key, List<Column> columns) {
    List<String> names = key.map(KeyColumn::name).toList();
    boolean computed = columns.stream().anyMatch(c -> c.generated() && names.contains(c.name()));
    return computed ? List.of() : names;
  }

  /**
   * What {@code pg_class} says.
   *
   * @param kind {@code relreplident}
   * @param index that of REPLICA IDENTITY USING INDEX, or null
   */
  private record Identity(String kind, String index) {}

  /** A table without what other catalogs say of it. */
  private record Found(TableId id, long oid, boolean partitioned, Identity identity) {}

  /** A leaf without the columns of its identity. */
  private record FoundLeaf(Table.Leaf leaf, Identity identity) {
    long oid() {
      return leaf.oid();
    }

    Table.Leaf with(Table.ReplicaIdentity own) {
      return new Table.Leaf(
          leaf.id(),
          leaf.oid(),
          leaf.fileNode(),
          leaf.columnsVersion(),
          leaf.columnsShape(),
          leaf.blocks(),
          leaf.logged(),
          leaf.attached(),
          own);
    }
  }

  /** A column of an index that can identify a row. */
  private record KeyColumn(String name, boolean primary, boolean identity, boolean immediate) {}

  private static List<Found> tables(Connection connection, Collection<TableId> ids)
      throws SQLException {
    List<Found> found = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(TABLES)) {
      statement.setArray(1, names(connection, ids.stream().map(TableId::schema).toList()));
      statement.setArray(2, names(connection, ids.stream().map(TableId::name).toList()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.add(
              new Found(
                  new TableId(row.getString(1), row.getString(2)),
                  row.getLong(3),
                  row.getBoolean(4),
                  new Identity(row.getString(5), row.getString(6))));
        }
      }
    }
    return found;
  }

  private static Array names(Connection connection, List<String> names) throws SQLException {
    return connection.createArrayOf("text", names.toArray());
  }

  private static Map<Long, List<Column>> columns(Connection connection, Array oids)
      throws SQLException {
    return byTable(
        connection,
        COLUMNS,
        oids,
        row ->
            new Column(
                row.getString(2),
                row.getString(3),
                row.getBoolean(4),
                row.getBoolean(5),
                row.getBoolean(6),
                row.getBoolean(7)));
  }

  private static Map<Long, List<KeyColumn>> keyColumns(Connection connection, Array oids)
      throws SQLException {
    return byTable(
        connection,
        INDEX_COLUMNS,
        oids,
        row ->
            new KeyColumn(
                row.getString(2), row.getBoolean(3), row.getBoolean(4), row.getBoolean(5)));
  }

  private static Map<Long, List<FoundLeaf>> leaves(Connection connection, Array oids)
      throws SQLException {
    return byTable(
        connection,
        LEAVES,
        oids,
        row ->
            new FoundLeaf(
                new Table.Leaf(
                    new TableId(row.getString(2), row.getString(3)),
                    row.getLong(4),
                    row.getLong(5),
                    row.getLong(6),
                    row.getLong(7),
                    row.getLong(8),
                    row.getBoolean(9),
                    row.getLong(10),
                    null),
                new Identity(row.getString(11), row.getString(12))));
  }

  private interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** What a query says of each table, in its order; the first column is the table's oid. */
  private static <T> Map<Long, List<T>> byTable(
      Connection connection, String sql, Array oids, Row<T> reader) throws SQLException {
    Map<Long, List<T>> found = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setArray(1, oids);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.computeIfAbsent(row.getLong(1), oid -> new ArrayList<>()).add(reader.read(row));
        }
      }
    }
    return found;
  }
}
