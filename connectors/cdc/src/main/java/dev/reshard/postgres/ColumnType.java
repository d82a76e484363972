package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * What statements need to know of a column's type. Immutable.
 *
 * @param name to cast text to, without a modifier: an explicit cast to {@code varchar(3)} would cut
 *     a longer value silently, the assignment that follows complains
 * @param input what stands around text instead of a cast, with {@code %s} for the text: where a
 *     cast from text is a function of its own, it need not read what the type writes; empty mostly
 * @param equals the operator that a unique index on the column uses; it may lie in any schema
 */
public record ColumnType(String name, String input, String equals) {
  private static final String TYPES =
      """
      SELECT a.attname, format_type(a.atttypid, -1),
             coalesce((SELECT format(CASE i.pronargs WHEN 1 THEN '%s(textout(%%s))'
                         ELSE '%s(textout(%%s), %s, -1)' END,
                         replace(i.oid::regproc::text, '%', '%%'), coalesce(nullif(b.typelem, 0), b.oid))
                FROM pg_type b
                JOIN pg_cast c ON c.castsource = 'text'::regtype AND c.casttarget = b.oid
                 AND c.castmethod = 'f'
                JOIN pg_proc i ON i.oid = b.typinput
               WHERE b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)), ''),
             coalesce((SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
                FROM pg_opclass k
                JOIN pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
                JOIN pg_amop p ON p.amopfamily = k.opcfamily AND p.amopstrategy = 3
                 AND p.amoplefttype = k.opcintype AND p.amoprighttype = k.opcintype
                JOIN pg_operator o ON o.oid = p.amopopr
                JOIN pg_namespace n ON n.oid = o.oprnamespace AND n.nspname <> 'pg_catalog'
               WHERE k.opcdefault AND k.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)), '=')
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
       WHERE a.attrelid = ?::regclass AND a.attnum > 0 AND NOT a.attisdropped""";

  /** A value of the type, from an expression of type text. */
  public String ofText(String expression) {
    return (input.isEmpty() ? expression : input.formatted(expression)) + "::" + name;
  }

  /** The types of a table's columns, by the columns' names. */
  public static Map<String, ColumnType> of(Connection connection, TableId table)
      throws SQLException {
    Map<String, ColumnType> types = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(TYPES)) {
      statement.setString(1, table.quoted());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          types.put(
              row.getString(1),
              new ColumnType(row.getString(2), row.getString(3), row.getString(4)));
        }
      }
    }
    return types;
  }
}
