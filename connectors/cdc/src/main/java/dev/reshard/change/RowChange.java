package dev.reshard.change;

import dev.reshard.keyspace.BucketSet;

/**
 * One change of one row, or a TRUNCATE. Not modified after it was made; its arrays are not copied,
 * for there are many.
 *
 * @param oldBucket where the row was; {@link #NO_BUCKET} for INSERT, TRUNCATE and reference tables
 * @param newBucket where the row is now; {@link #NO_BUCKET} for DELETE, TRUNCATE and reference
 *     tables
 * @param key the old row's key, as text, in the order of {@link ChangedTable#key}; for an INSERT
 *     the new row's; null for TRUNCATE
 * @param values the new row as text, in the order of {@link ChangedTable#columns}: null is SQL's
 *     NULL, {@link #UNCHANGED} a value that the server did not send; null for DELETE and TRUNCATE
 */
@SuppressWarnings("ArrayRecordComponent") // see above
public record RowChange(
    ChangedTable table, Kind kind, int oldBucket, int newBucket, String[] key, String[] values) {

  /** What happened. */
  public enum Kind {
    INSERT,
    UPDATE,
    DELETE,
    TRUNCATE
  }

  /** A row of no bucket. */
  public static final int NO_BUCKET = -1;

  /** Stands for an out-of-line value that an UPDATE did not touch; compare with {@code ==}. */
  @SuppressWarnings("StringOperationCanBeSimplified") // identity is the point
  public static final String UNCHANGED = new String("unchanged");

  /** Whether a value was left out by the server. */
  @SuppressWarnings("ReferenceEquality")
  public static boolean isUnchanged(String value) {
    return value == UNCHANGED;
  }

  /** How long the texts of the key and of the new row are together, in characters. */
  public long textLength() {
    return length(key) + length(values);
  }

  private static long length(String[] texts) {
    long length = 0;
    for (int i = 0; texts != null && i < texts.length; i++) {
      length += texts[i] == null ? 0 : texts[i].length();
    }
    return length;
  }

  /** Whether the row was, or is, in one of {@code buckets}. */
  public boolean touches(BucketSet buckets) {
    return buckets.contains(oldBucket) || buckets.contains(newBucket);
  }
}
