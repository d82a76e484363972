package dev.reshard.verify;

import java.util.List;

/**
 * A row in which source and destination differ. Immutable.
 *
 * @param key the row key's values as text, in the order of {@link TableResult#keyColumns}; of a
 *     table without a key the digest of the row
 */
public record RowDifference(Kind kind, List<String> key) {

  /** How. */
  public enum Kind {
    /** The destination lacks it. */
    MISSING,
    /** Only the destination has it. */
    EXTRA,
    /** Both have it, with other values. */
    CHANGED
  }

  public RowDifference {
    key = List.copyOf(key);
  }
}
