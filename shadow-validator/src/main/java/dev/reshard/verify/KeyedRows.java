package dev.reshard.verify;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and digests of one side's rows, in the order of the keys' bytes, a batch at a time. Confined
 * to one thread.
 */
final class KeyedRows implements AutoCloseable {
  private static final int BATCH_ROWS = 5_000;

  /** A row. */
  record Row(List<String> key, long digest) implements Comparable<Row> {
    @Override
    public int compareTo(Row other) {
      int byKey = compareKeys(key, other.key);
      return byKey != 0 ? byKey : Long.compare(digest, other.digest);
    }
  }

  private final PreparedStatement statement;
  private final ResultSet rows;
  private final int keyColumns;

  private KeyedRows(PreparedStatement statement, ResultSet rows, int keyColumns) {
    this.statement = statement;
    this.rows = rows;
    this.keyColumns = keyColumns;
  }

  /**
   * @param connection inside a transaction, so that rows come in batches
   * @param keyColumns how many columns of the query are the key; the digest is the next one
   * @param lists what the query's parameters are, lists of text
   */
  static KeyedRows open(
      Connection connection, String query, int keyColumns, List<List<String>> lists)
      throws SQLException {
    PreparedStatement statement = connection.prepareStatement(query);
    try {
      statement.setFetchSize(BATCH_ROWS);
      for (int i = 0; i < lists.size(); i++) {
        statement.setArray(i + 1, connection.createArrayOf("text", lists.get(i).toArray()));
      }
      return new KeyedRows(statement, statement.executeQuery(), keyColumns);
    } catch (SQLException | RuntimeException e) {
      statement.close();
      throw e;
    }
  }

  /** The next row; null behind the last one. */
  Row next() throws SQLException {
    if (!rows.next()) {
      return null;
    }
    List<String> key = new ArrayList<>(keyColumns);
    for (int i = 1; i <= keyColumns; i++) {
      key.add(rows.getString(i));
    }
    return new Row(key, rows.getLong(keyColumns + 1));
  }

  @Override
  public void close() throws SQLException {
    statement.close();
  }

  static int compareKeys(List<String> left, List<String> right) {
    for (int i = 0; i < left.size(); i++) {
      int order = compareBytes(left.get(i), right.get(i));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  /** As {@code COLLATE "C"} orders, by the bytes of UTF-8; unlike that of Java beyond U+FFFF. */
  private static int compareBytes(String left, String right) {
    int end = Math.min(left.length(), right.length());
    for (int i = 0; i < end; i++) {
      char l = left.charAt(i);
      char r = right.charAt(i);
      if (l != r) {
        boolean leftBeyond = Character.isSurrogate(l);
        return leftBeyond == Character.isSurrogate(r)
            ? Character.compare(l, r)
            : leftBeyond ? 1 : -1;
      }
    }
    return Integer.compare(left.length(), right.length());
  }
}
