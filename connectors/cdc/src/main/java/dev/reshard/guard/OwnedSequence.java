package dev.reshard.guard;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A sequence that belongs to a column of a table, serial or identity, as it stands. Immutable.
 *
 * @param oid its own
 * @param largest number that both the column and the sequence can hold
 * @param last its last value; 0 if it gave none yet
 */
public record OwnedSequence(
    TableId table,
    String column,
    TableId sequence,
    long oid,
    long largest,
    long increment,
    boolean cycles,
    long maximum,
    long last) {

  private static final String QUERY =
      """
      SELECT tn.nspname, t.relname, a.attname, sn.nspname, s.relname, s.oid,
             least(CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                     ELSE 9223372036854775807 END,
                   CASE q.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                     ELSE 9223372036854775807 END),
             q.seqincrement, q.seqcycle, q.seqmax, coalesce(pg_sequence_last_value(s.oid), 0)
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_namespace sn ON sn.oid = s.relnamespace
        JOIN pg_sequence q ON q.seqrelid = s.oid
        JOIN pg_class t ON t.oid = d.refobjid
        JOIN pg_namespace tn ON tn.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
       WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
         AND d.deptype IN ('a', 'i') AND tn.nspname = ? AND t.relname = ?
       ORDER BY a.attnum, s.oid""";

  /** Those of one table. */
  public static List<OwnedSequence> of(Connection connection, TableId table) throws SQLException {
    List<OwnedSequence> sequences = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(QUERY)) {
      statement.setString(1, table.schema());
      statement.setString(2, table.name());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          sequences.add(
              new OwnedSequence(
                  new TableId(row.getString(1), row.getString(2)),
                  row.getString(3),
                  new TableId(row.getString(4), row.getString(5)),
                  row.getLong(6),
                  row.getLong(7),
                  row.getLong(8),
                  row.getBoolean(9),
                  row.getLong(10),
                  row.getLong(11)));
        }
      }
    }
    return sequences;
  }

  /** {@code schema.table.column}: the same on every shard. */
  public String place() {
    return table + "." + column;
  }
}
