package dev.reshard.sandbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of one table in one database, as one part of what {@link RowComparer} compares. Immutable.
 *
 * @param database opens a session of a role that may read the table; the comparison closes it
 * @param table its name as SQL, with its schema unless that is {@code public}
 * @param where a condition as SQL; {@code true} selects all rows
 */
public record RowSelection(Database database, String table, String where) {
  /** Where sessions come from. */
  @FunctionalInterface
  public interface Database {
    Connection connect() throws SQLException;
  }

  /** All rows of a shard's table, read as superuser, so that no policy hides any. */
  public static RowSelection of(SandboxShard shard, String table) {
    return new RowSelection(() -> shard.connect(SandboxRole.SUPERUSER), table, "true");
  }

  /** The same table's rows that meet another condition. */
  public RowSelection where(String condition) {
    return new RowSelection(database, table, condition);
  }

  /** A session whose text output depends on the values only, in a snapshot of its own. */
  Connection open() throws SQLException {
    Connection connection = database.connect();
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          SET DateStyle = 'ISO';
          SET IntervalStyle = 'postgres';
          SET extra_float_digits = 1;
          SET bytea_output = 'hex';
          SET TimeZone = 'UTC';
          SET lc_monetary = 'C';
          SET xmloption = 'content';
          SET client_encoding = 'UTF8';
          SET search_path = pg_catalog, public;
          SET row_security = off;
          SET statement_timeout = 0""");
      connection.setReadOnly(true);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      connection.setAutoCommit(false);
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /** The table's columns, quoted, ordered by name: their order in the table may differ by shard. */
  List<String> columns(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT format('%I', attname) FROM pg_attribute
            WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped
            ORDER BY attname COLLATE "C\"""")) {
      statement.setString(1, table);
      try (ResultSet rows = statement.executeQuery()) {
        List<String> columns = new ArrayList<>();
        while (rows.next()) {
          columns.add(rows.getString(1));
        }
        return columns;
      }
    }
  }
}
