package dev.reshard.sandbox;

import dev.reshard.sandbox.RowCursor.Row;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Compares tables row by row, value by value: the last judge in every integration test.
 *
 * <p>It shares no code with what it judges, and is simple rather than fast. Each side is a list of
 * selections, because the rows of one table lie on several shards; together they are one multiset.
 * Every selection is read by plain JDBC as text under pinned settings, sorted by its server; the
 * two sides are then merged like two sorted files, so memory does not grow with the number of rows.
 *
 * <p>A row counts as often as it occurs: a row that lies on two shards of one side is extra once.
 * Immutable and thread-safe.
 */
public final class RowComparer {
  private final List<String> keyColumns;

  private RowComparer(List<String> keyColumns) {
    this.keyColumns = List.copyOf(keyColumns);
  }

  /**
   * Names rows by these columns (as SQL), and tells a changed row from a missing and an extra one.
   */
  public static RowComparer byKey(String... columns) {
    if (columns.length == 0) {
      throw new IllegalArgumentException("no key columns; withoutKey() compares multisets");
    }
    return new RowComparer(List.of(columns));
  }

  /** For tables without a key: a changed row is a missing and an extra one. */
  public static RowComparer withoutKey() {
    return new RowComparer(List.of());
  }

  /** As {@link #compare(List, List)} with one selection on either side. */
  public RowComparison compare(RowSelection expected, RowSelection actual) throws SQLException {
    return compare(List.of(expected), List.of(actual));
  }

  /**
   * Compares two sides. Each selection is read in a snapshot of its own, so nobody may be writing.
   *
   * @throws IllegalArgumentException if a side is empty, or the tables' columns differ in name
   */
  public RowComparison compare(List<RowSelection> expected, List<RowSelection> actual)
      throws SQLException {
    requireSameColumns(expected, actual);
    try (Side left = new Side(expected);
        Side right = new Side(actual)) {
      RowComparison.Builder result = new RowComparison.Builder(!keyColumns.isEmpty());
      while (left.current() != null || right.current() != null) {
        int order = compare(left.current(), right.current());
        if (order == 0) {
          result.same();
        } else if (order < 0) {
          result.onlyExpected(left.current());
        } else {
          result.onlyActual(right.current());
        }
        if (order <= 0) {
          left.advance();
        }
        if (order >= 0) {
          right.advance();
        }
      }
      return result.build();
    }
  }

  private static int compare(Row left, Row right) {
    if (left == null || right == null) {
      return left == null ? 1 : -1;
    }
    return left.compareTo(right);
  }

  private static void requireSameColumns(List<RowSelection> expected, List<RowSelection> actual)
      throws SQLException {
    if (expected.isEmpty() || actual.isEmpty()) {
      throw new IllegalArgumentException("a side without selections");
    }
    List<RowSelection> all = new ArrayList<>(expected);
    all.addAll(actual);
    List<String> first = columns(all.get(0));
    for (RowSelection selection : all) {
      List<String> columns = columns(selection);
      if (!columns.equals(first)) {
        throw new IllegalArgumentException(
            "%s has columns %s, but %s has %s"
                .formatted(all.get(0).table(), first, selection.table(), columns));
      }
    }
  }

  private static List<String> columns(RowSelection selection) throws SQLException {
    try (Connection connection = selection.open()) {
      return selection.columns(connection);
    }
  }

  /** The rows of several selections, merged into one order. */
  private final class Side implements AutoCloseable {
    private final List<RowCursor> cursors = new ArrayList<>();
    private final PriorityQueue<RowCursor> queue =
        new PriorityQueue<>(Comparator.comparing(RowCursor::current));

    Side(List<RowSelection> selections) throws SQLException {
      try {
        for (RowSelection selection : selections) {
          RowCursor cursor = RowCursor.open(selection, keyColumns);
          cursors.add(cursor);
          enqueue(cursor);
        }
      } catch (SQLException | RuntimeException e) {
        close();
        throw e;
      }
    }

    Row current() {
      RowCursor cursor = queue.peek();
      return cursor == null ? null : cursor.current();
    }

    void advance() throws SQLException {
      RowCursor cursor = queue.remove();
      cursor.advance();
      enqueue(cursor);
    }

    private void enqueue(RowCursor cursor) {
      if (cursor.current() != null) {
        queue.add(cursor);
      }
    }

    @Override
    public void close() throws SQLException {
      for (RowCursor cursor : cursors) {
        cursor.close();
      }
    }
  }
}
