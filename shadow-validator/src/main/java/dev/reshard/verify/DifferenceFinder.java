package dev.reshard.verify;

import dev.reshard.verify.KeyedRows.Row;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Merges both sides' rows, ordered alike, and pairs what is left under one key: one here and one
 * there is a changed row. Several merges, each of other keys, add up. Confined to one thread.
 */
final class DifferenceFinder {
  private final boolean keyed;
  private final List<RowDifference> differences = new ArrayList<>();
  private final List<Row> onlySource = new ArrayList<>();
  private final List<Row> onlyDestination = new ArrayList<>();
  private List<String> key = List.of();
  private long missing;
  private long extra;
  private long changed;
  private long sourceRows;
  private long destinationRows;

  DifferenceFinder(boolean keyed) {
    this.keyed = keyed;
  }

  void find(KeyedRows source, KeyedRows destination) throws SQLException {
    Row left = source.next();
    Row right = destination.next();
    while (left != null || right != null) {
      int order = left == null ? 1 : right == null ? -1 : left.compareTo(right);
      if (order < 0) {
        keep(left, onlySource);
      } else if (order > 0) {
        keep(right, onlyDestination);
      }
      if (order <= 0) {
        left = source.next();
        sourceRows++;
      }
      if (order >= 0) {
        right = destination.next();
        destinationRows++;
      }
    }
    endKey();
  }

  long missing() {
    return missing;
  }

  long extra() {
    return extra;
  }

  long changed() {
    return changed;
  }

  long sourceRows() {
    return sourceRows;
  }

  long destinationRows() {
    return destinationRows;
  }

  List<RowDifference> differences() {
    return differences;
  }

  private void keep(Row row, List<Row> side) {
    if (!row.key().equals(key)) {
      endKey();
      key = row.key();
    }
    side.add(row);
  }

  private void endKey() {
    int pairs = keyed ? Math.min(onlySource.size(), onlyDestination.size()) : 0;
    changed += pairs;
    missing += onlySource.size() - pairs;
    extra += onlyDestination.size() - pairs;
    name(RowDifference.Kind.CHANGED, pairs);
    name(RowDifference.Kind.MISSING, onlySource.size() - pairs);
    name(RowDifference.Kind.EXTRA, onlyDestination.size() - pairs);
    onlySource.clear();
    onlyDestination.clear();
  }

  private void name(RowDifference.Kind kind, int times) {
    for (int i = 0; i < times && differences.size() < TableResult.LISTED; i++) {
      differences.add(new RowDifference(kind, key));
    }
  }
}
