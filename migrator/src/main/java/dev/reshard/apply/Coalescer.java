package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.apply.LaneFilter.Fate;
import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns one table's changes, in order, into the fewest steps with the same final rows. Pure;
 * confined to one thread.
 *
 * <pre>
 * before \ now   INSERT        UPDATE            DELETE
 * nothing        INSERT        UPDATE            DELETE
 * INSERT         error         INSERT, merged    nothing
 * UPDATE         error         UPDATE, merged    DELETE
 * DELETE         replace       error             error
 * replace        error         replace, merged   DELETE
 * </pre>
 *
 * Merging keeps an earlier value where the later one is unchanged. A change of the key, a TRUNCATE,
 * and a DELETE or UPDATE in a table without a key are barriers: what came before is a step of its
 * own (HAZARDS F33). Other tables need no barrier, for no trigger and no foreign key connects them
 * in our transactions.
 */
final class Coalescer {

  /** What becomes of one key; {@code values} null: deleted only. */
  private static final class Entry {
    final String[] key;
    final boolean deletes;
    final boolean inserts;
    String[] values;

    Entry(String[] key, boolean deletes, boolean inserts, String[] values) {
      this.key = key;
      this.deletes = deletes;
      this.inserts = inserts;
      this.values = values;
    }
  }

  /** A key as a map needs it. */
  private record KeyText(List<String> values) {}

  private final ChangedTable table;
  private final RowKey rowKey;
  private final BitSet neverSet;
  private final int maxRows;
  private final int maxBytes;

  private final List<Step> steps = new ArrayList<>();
  private final Map<KeyText, Entry> entries = new LinkedHashMap<>();
  private final List<String[]> keylessInserts = new ArrayList<>();
  private int rows;
  private long bytes;

  /**
   * @param neverSet positions that an ordinary UPDATE leaves out
   * @param maxRows a step holds no more changes than this; 1: every change in its own order
   * @param maxBytes nor more text
   */
  Coalescer(ChangedTable table, RowKey rowKey, BitSet neverSet, int maxRows, int maxBytes) {
    this.table = table;
    this.rowKey = rowKey;
    this.neverSet = neverSet;
    this.maxRows = maxRows;
    this.maxBytes = maxBytes;
  }

  ChangedTable table() {
    return table;
  }

  /** Takes one change that concerns the lane. */
  void add(Fate fate, RowChange change) {
    switch (fate) {
      case IGNORE -> {}
      case INSERT -> insert(wholeRow(change));
      case DELETE -> delete(change);
      case UPDATE -> update(change);
      case TRUNCATE -> barrier(new Step.Clear());
    }
    if (rows >= maxRows || bytes >= maxBytes) {
      flush();
    }
  }

  /** All steps so far, in order. */
  List<Step> steps() {
    flush();
    return List.copyOf(steps);
  }

  private String[] wholeRow(RowChange change) {
    String[] values = rowKey.newValues(change);
    for (int i = 0; i < values.length; i++) {
      if (RowChange.isUnchanged(values[i])) {
        throw new LaneException(
            Problem.ROW_NOT_WHOLE,
            """
            A row of %s with key %s came into the lane's buckets by a change of its shard key, but \
            its value of column %s, stored out of line, did not come with it: the trigger that sends \
            whole rows was not armed on the source. It is not applied. Arm the source, change that \
            column of the row to itself there, and begin again from a new anchor."""
                .formatted(
                    table.id(), Arrays.toString(rowKey.ofOld(change)), table.columns().get(i)));
      }
    }
    return values;
  }

  private void insert(String[] values) {
    count(values);
    if (rowKey.keyless()) {
      keylessInserts.add(values);
      return;
    }
    String[] key = rowKey.ofRow(values);
    Entry before = entries.get(text(key));
    if (before != null && before.values != null) {
      throw inconsistent("an INSERT", key);
    }
    entries.put(text(key), new Entry(key, before != null, true, values));
  }

  private void delete(RowChange change) {
    String[] key = rowKey.ofOld(change);
    if (rowKey.keyless()) {
      barrier(new Step.RemoveOne(key));
      return;
    }
    count(key);
    Entry before = entries.get(text(key));
    if (before == null) {
      entries.put(text(key), new Entry(key, true, false, null));
    } else if (before.values == null) {
      throw inconsistent("a DELETE", key);
    } else if (before.inserts && !before.deletes) {
      entries.remove(text(key));
    } else {
      entries.put(text(key), new Entry(key, true, false, null));
    }
  }

  private void update(RowChange change) {
    String[] key = rowKey.ofOld(change);
    String[] values = rowKey.newValues(change);
    if (rowKey.keyless()) {
      barrier(new Step.ChangeOne(key, values));
    } else if (!Arrays.equals(key, rowKey.ofRow(values))) {
      barrier(new Step.KeyChange(key, values));
    } else {
      count(values);
      Entry before = entries.get(text(key));
      if (before == null) {
        entries.put(text(key), new Entry(key, false, false, values));
      } else if (before.values == null) {
        throw inconsistent("an UPDATE", key);
      } else {
        before.values = merge(before.values, values);
      }
    }
  }

  private static String[] merge(String[] earlier, String[] later) {
    String[] merged = later.clone();
    for (int i = 0; i < merged.length; i++) {
      if (RowChange.isUnchanged(merged[i])) {
        merged[i] = earlier[i];
      }
    }
    return merged;
  }

  private void barrier(Step step) {
    flush();
    steps.add(step);
  }

  private void flush() {
    if (rows == 0) {
      return;
    }
    List<String[]> deletes = new ArrayList<>();
    Map<BitSet, List<Step.Update>> updates = new LinkedHashMap<>();
    List<String[]> inserts = new ArrayList<>(keylessInserts);
    for (Entry entry : entries.values()) {
      if (entry.deletes) {
        deletes.add(entry.key);
      }
      if (entry.inserts) {
        inserts.add(entry.values);
      } else if (!entry.deletes) {
        updates
            .computeIfAbsent(shape(entry.values), shape -> new ArrayList<>())
            .add(new Step.Update(entry.key, entry.values));
      }
    }
    steps.add(new Step.Net(deletes, updates, inserts));
    entries.clear();
    keylessInserts.clear();
    rows = 0;
    bytes = 0;
  }

  private BitSet shape(String[] values) {
    BitSet shape = new BitSet(values.length);
    for (int i = 0; i < values.length; i++) {
      shape.set(i, !RowChange.isUnchanged(values[i]));
    }
    shape.andNot(neverSet);
    return shape;
  }

  private void count(String[] texts) {
    rows++;
    for (String text : texts) {
      bytes += text == null ? 0 : text.length();
    }
  }

  private LaneException inconsistent(String kind, String[] key) {
    return new LaneException(
        Problem.INCONSISTENT,
        "%s of the row of %s with key %s does not fit the change of that row before it"
            .formatted(kind, table.id(), Arrays.toString(key)));
  }

  private static KeyText text(String[] key) {
    return new KeyText(Arrays.asList(key));
  }
}
