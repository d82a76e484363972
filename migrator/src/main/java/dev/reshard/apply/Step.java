package dev.reshard.apply;

import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * What is written to one table, in one go. Rows and keys are text, in the order of the changed
 * table's columns and of its {@link RowKey}. Not modified after it was made.
 */
sealed interface Step {

  /** A row's new values; those not in the shape of its group are to stay as they are. */
  @SuppressWarnings("ArrayRecordComponent") // there are many, and none is modified
  record Update(String[] key, String[] values) {}

  /**
   * Changes of many rows, one at most per key: first all deletes, then the updates, then the
   * inserts. A key may be deleted and inserted.
   *
   * @param updates by shape: the positions of the values that are present and not of the key
   */
  record Net(List<String[]> deletes, Map<BitSet, List<Update>> updates, List<String[]> inserts)
      implements Step {}

  /** An update of one row that changes its key; values may be unchanged. */
  @SuppressWarnings("ArrayRecordComponent") // as above
  record KeyChange(String[] oldKey, String[] values) implements Step {}

  /** Away with one of the rows that are equal to this one. */
  @SuppressWarnings("ArrayRecordComponent") // as above
  record RemoveOne(String[] row) implements Step {}

  /** One of the rows that are equal to this one gets new values; none is unchanged. */
  @SuppressWarnings("ArrayRecordComponent") // as above
  record ChangeOne(String[] row, String[] values) implements Step {}

  /** All rows of the lane's buckets, or of a reference table, are deleted. */
  record Clear() implements Step {}
}
