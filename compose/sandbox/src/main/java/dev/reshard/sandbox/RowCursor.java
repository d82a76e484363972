package dev.reshard.sandbox;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The rows of one {@link RowSelection} as text, in the order of {@link Row}, a batch at a time.
 * Confined to the calling thread.
 */
final class RowCursor implements AutoCloseable {
  private static final int FETCH_ROWS = 1_000;

  private final RowSelection selection;
  private final Connection connection;
  private final Statement statement;
  private final ResultSet rows;
  private Row current;

  private RowCursor(RowSelection selection, Connection connection, String query)
      throws SQLException {
    this.selection = selection;
    this.connection = connection;
    this.statement = connection.createStatement();
    statement.setFetchSize(FETCH_ROWS);
    this.rows = statement.executeQuery(query);
  }

  /**
   * Opens a cursor and stands on its first row.
   *
   * @param keyColumns as SQL; empty if the whole row is the key
   */
  static RowCursor open(RowSelection selection, List<String> keyColumns) throws SQLException {
    Connection connection = selection.open();
    try {
      // ROW(..)::text is each type's own output, quoted so that no two rows look the same.
      String row = "ROW(" + String.join(", ", selection.columns(connection)) + ")::text";
      String key = keyColumns.isEmpty() ? row : "ROW(" + String.join(", ", keyColumns) + ")::text";
      RowCursor cursor =
          new RowCursor(
              selection,
              connection,
              """
              SELECT k, r FROM (SELECT %s, %s FROM %s WHERE %s) AS selected (k, r)
              ORDER BY k COLLATE "C", r COLLATE "C\""""
                  .formatted(key, row, selection.table(), selection.where()));
      cursor.advance();
      return cursor;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** The row it stands on, or null past the last one. */
  Row current() {
    return current;
  }

  void advance() throws SQLException {
    Row next = rows.next() ? new Row(rows.getString(1), rows.getString(2)) : null;
    if (next != null && current != null && next.compareTo(current) < 0) {
      throw new IllegalStateException(
          "%s is not in order: %s after %s".formatted(selection.table(), next, current));
    }
    current = next;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }

  /** Ordered as {@code COLLATE "C"} orders key, then row: by bytes of UTF-8. */
  record Row(String key, String row) implements Comparable<Row> {
    @Override
    public int compareTo(Row other) {
      int byKey = compareBytes(key, other.key);
      return byKey != 0 ? byKey : compareBytes(row, other.row);
    }

    /** As the bytes of UTF-8 compare; {@link String#compareTo} differs beyond U+FFFF. */
    static int compareBytes(String left, String right) {
      int mismatch = 0;
      int length = Math.min(left.length(), right.length());
      while (mismatch < length && left.charAt(mismatch) == right.charAt(mismatch)) {
        mismatch++;
      }
      if (mismatch == length) {
        return Integer.compare(left.length(), right.length());
      }
      char l = left.charAt(mismatch);
      char r = right.charAt(mismatch);
      boolean leftBeyond = Character.isSurrogate(l);
      boolean rightBeyond = Character.isSurrogate(r);
      return leftBeyond == rightBeyond ? Character.compare(l, r) : leftBeyond ? 1 : -1;
    }
  }
}
