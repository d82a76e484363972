package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A unique index, or an exclusion constraint's, that does not contain the shard key. Immutable.
 *
 * @param expressions what is indexed, columns or more, as they stand in a query of the table
 * @param types of them
 * @param predicate of a partial index; {@code true} of any other
 */
record UniqueIndex(
    ShardedTable table,
    String name,
    boolean primary,
    boolean exclusion,
    List<String> expressions,
    List<String> types,
    String predicate) {
  private static final String WITHOUT_KEY =
      """
      SELECT i.indrelid, x.relname, i.indisprimary, i.indisexclusion,
             ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true)
                     FROM generate_series(1, i.indnkeyatts) n ORDER BY n),
             ARRAY(SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
                    WHERE a.attrelid = i.indexrelid AND a.attnum <= i.indnkeyatts ORDER BY a.attnum),
             coalesce(pg_get_expr(i.indpred, i.indrelid), 'true')
        FROM unnest(?, ?) AS sharded(oid, key)
        JOIN pg_index i ON i.indrelid = sharded.oid
        JOIN pg_class x ON x.oid = i.indexrelid
       WHERE (i.indisunique OR i.indisexclusion)
         AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
                          AND a.attname = sharded.key
                          AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
       ORDER BY x.relname""";

  UniqueIndex {
    expressions = List.copyOf(expressions);
    types = List.copyOf(types);
  }

  /** All of a shard's sharded tables. */
  static List<UniqueIndex> read(CheckSession session, Subject subject) throws SQLException {
    ShardId shard = session.shard();
    Map<Long, ShardedTable> tables = new HashMap<>();
    List<Long> oids = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    for (ShardedTable sharded : subject.keyed(shard)) {
      long oid = subject.table(shard, sharded.id()).map(Table::oid).orElseThrow();
      tables.put(oid, sharded);
      oids.add(oid);
      keys.add(sharded.key());
    }
    return session.query(
        WITHOUT_KEY,
        row ->
            new UniqueIndex(
                tables.get(row.getLong(1)),
                row.getString(2),
                row.getBoolean(3),
                row.getBoolean(4),
                List.of((String[]) row.getArray(5).getArray()),
                List.of((String[]) row.getArray(6).getArray()),
                row.getString(7)),
        session.oids(oids),
        session.texts(keys));
  }
}
