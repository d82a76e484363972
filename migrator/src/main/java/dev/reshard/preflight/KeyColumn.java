package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a function has to know of a shard key's column on one shard. Immutable.
 *
 * @param type as {@code format_type} writes it, with its modifier; of a domain the one below it
 * @param deterministic whether values that are equal are the same bytes
 * @param encoding in which text is stored; {@code UTF8} for a type that is no text
 */
record KeyColumn(String type, boolean deterministic, String encoding) {
  private static final String COLUMNS =
      """
      WITH RECURSIVE k(rel, type, modifier, collid) AS (
        SELECT a.attrelid, a.atttypid, a.atttypmod, a.attcollation
          FROM unnest(?, ?) AS sharded(oid, key)
          JOIN pg_attribute a ON a.attrelid = sharded.oid AND a.attname = sharded.key
           AND NOT a.attisdropped
        UNION ALL
        SELECT k.rel, t.typbasetype, t.typtypmod, k.collid FROM k JOIN pg_type t ON t.oid = k.type
         WHERE t.typtype = 'd')
      SELECT k.rel, format_type(k.type, k.modifier), coalesce(c.collisdeterministic, true),
             CASE WHEN t.typcategory = 'S' THEN current_setting('server_encoding') ELSE 'UTF8' END
        FROM k JOIN pg_type t ON t.oid = k.type LEFT JOIN pg_collation c ON c.oid = k.collid
       WHERE t.typtype <> 'd'""";

  /** Of all sharded tables that a shard has with their key. */
  static Map<TableId, KeyColumn> read(
      CheckSession session, Collection<ShardedTable> sharded, Map<TableId, Table> tables)
      throws SQLException {
    Map<Long, TableId> ids = new HashMap<>();
    List<Long> oids = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    for (ShardedTable table : sharded) {
      if (tables.containsKey(table.id())) {
        long oid = tables.get(table.id()).oid();
        ids.put(oid, table.id());
        oids.add(oid);
        keys.add(table.key());
      }
    }
    Map<TableId, KeyColumn> columns = new TreeMap<>();
    session.query(
        COLUMNS,
        row ->
            columns.put(
                ids.get(row.getLong(1)),
                new KeyColumn(row.getString(2), row.getBoolean(3), row.getString(4))),
        session.oids(oids),
        session.texts(keys));
    return columns;
  }
}
