package dev.reshard.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** In which form rows travel from one server to another. */
public enum CopyFormat {
  /** The servers' own binary form: fastest, and exact. */
  BINARY,
  /**
   * Text, exact under the settings of our sessions: for types that have no binary form; for
   * references to objects, whose binary form is a number that another database gives to something
   * else; for {@code tsquery}, {@code int2vector} and {@code oidvector}, as no server takes an
   * empty one in its binary form.
   */
  TEXT;

  /** Types of the columns, and those that they are made of. */
  private static final String NEEDS_TEXT =
      """
      WITH RECURSIVE parts(oid) AS (
        SELECT atttypid FROM pg_attribute
         WHERE attrelid = ? AND attnum > 0 AND NOT attisdropped
        UNION
        SELECT part.oid FROM parts JOIN pg_type t ON t.oid = parts.oid CROSS JOIN LATERAL (
          SELECT t.typelem WHERE t.typelem <> 0
          UNION ALL SELECT t.typbasetype WHERE t.typbasetype <> 0
          UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
          UNION ALL SELECT a.atttypid FROM pg_attribute a
                     WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ) part(oid))
      SELECT EXISTS (SELECT FROM parts JOIN pg_type USING (oid)
                      WHERE typsend = 0 OR typreceive = 0
                         OR oid IN ('tsquery'::regtype, 'int2vector'::regtype, 'oidvector'::regtype)
                         OR typinput IN (SELECT i.oid FROM pg_proc i
                                          WHERE i.pronamespace = 'pg_catalog'::regnamespace
                                            AND i.proname ~ '^reg[a-z]+in$'))""";

  /** The best one that all columns of the table have. */
  public static CopyFormat of(Connection connection, Table table) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(NEEDS_TEXT)) {
      statement.setLong(1, table.oid());
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getBoolean(1) ? TEXT : BINARY;
      }
    }
  }

  /** The option of COPY. */
  String option() {
    return "(FORMAT " + name() + ")";
  }
}
