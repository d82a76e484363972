package dev.reshard.sandbox;

import dev.reshard.sandbox.RowCursor.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What {@link RowComparer} found. Immutable.
 *
 * @param expectedRows how many rows the expected side has
 * @param actualRows how many rows the actual side has
 * @param differenceCount how many differences there are
 * @param differences the first {@value #LISTED} of them, by key
 */
public record RowComparison(
    long expectedRows, long actualRows, long differenceCount, List<RowDifference> differences) {
  /** More than anyone reads; the rest is only counted. */
  static final int LISTED = 100;

  public RowComparison {
    differences = List.copyOf(differences);
  }

  public boolean equal() {
    return differenceCount == 0;
  }

  /**
   * For the end of a test.
   *
   * @throws AssertionError with the differences, if there are any
   */
  public void requireEqual() {
    if (!equal()) {
      throw new AssertionError(toString());
    }
  }

  @Override
  public String toString() {
    return "%d rows expected, %d found, %d differences%s"
        .formatted(
            expectedRows,
            actualRows,
            differenceCount,
            differences.stream().map(each -> "\n  " + each).collect(Collectors.joining()));
  }

  /** Takes the rows in order and pairs what is missing and extra under one key. One thread's. */
  static final class Builder {
    private final boolean hasKey;
    private final List<RowDifference> differences = new ArrayList<>();
    private final List<Row> missing = new ArrayList<>();
    private final List<Row> extra = new ArrayList<>();
    private String currentKey;
    private long expectedRows;
    private long actualRows;
    private long differenceCount;

    Builder(boolean hasKey) {
      this.hasKey = hasKey;
    }

    void same() {
      expectedRows++;
      actualRows++;
    }

    void onlyExpected(Row row) {
      expectedRows++;
      beginKey(row.key());
      missing.add(row);
    }

    void onlyActual(Row row) {
      actualRows++;
      beginKey(row.key());
      extra.add(row);
    }

    RowComparison build() {
      endKey();
      return new RowComparison(expectedRows, actualRows, differenceCount, differences);
    }

    private void beginKey(String key) {
      if (!hasKey || !key.equals(currentKey)) {
        endKey();
        currentKey = key;
      }
    }

    private void endKey() {
      int pairs = Math.min(missing.size(), extra.size());
      for (int i = 0; i < pairs; i++) {
        add(RowDifference.changed(missing.get(i), extra.get(i)));
      }
      missing.stream().skip(pairs).map(RowDifference::missing).forEach(this::add);
      extra.stream().skip(pairs).map(RowDifference::extra).forEach(this::add);
      missing.clear();
      extra.clear();
    }

    private void add(RowDifference difference) {
      differenceCount++;
      if (differences.size() < LISTED) {
        differences.add(difference);
      }
    }
  }
}
