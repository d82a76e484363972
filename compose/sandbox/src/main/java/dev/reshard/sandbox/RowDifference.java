package dev.reshard.sandbox;

import java.util.Optional;

/**
 * One row in which two sides differ. Immutable.
 *
 * @param key the key columns' values as a row of text; without a key, the whole row
 * @param expected the row on the expected side, unless it is extra
 * @param actual the row on the actual side, unless it is missing
 */
public record RowDifference(
    Kind kind, String key, Optional<String> expected, Optional<String> actual) {
  /** How two sides differ in a row. */
  public enum Kind {
    /** Expected, but not there, or not as often. */
    MISSING,
    /** There, but not expected, or not as often. */
    EXTRA,
    /** There under the same key with other values. */
    CHANGED
  }

  static RowDifference missing(RowCursor.Row row) {
    return new RowDifference(Kind.MISSING, row.key(), Optional.of(row.row()), Optional.empty());
  }

  static RowDifference extra(RowCursor.Row row) {
    return new RowDifference(Kind.EXTRA, row.key(), Optional.empty(), Optional.of(row.row()));
  }

  static RowDifference changed(RowCursor.Row expected, RowCursor.Row actual) {
    return new RowDifference(
        Kind.CHANGED, expected.key(), Optional.of(expected.row()), Optional.of(actual.row()));
  }

  @Override
  public String toString() {
    return switch (kind) {
      case MISSING -> "missing " + expected.orElseThrow();
      case EXTRA -> "extra " + actual.orElseThrow();
      case CHANGED ->
          "changed %s: expected %s, got %s"
              .formatted(key, expected.orElseThrow(), actual.orElseThrow());
    };
  }
}
