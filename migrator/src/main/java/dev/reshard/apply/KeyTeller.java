package dev.reshard.apply;

import dev.reshard.apply.LaneFilter.Fate;
import dev.reshard.change.RowChange;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.Arrays;

/** Tells a listener which rows a batch changed. Confined to the lane's thread. */
final class KeyTeller {
  private final ChangedKeys listener;

  /**
   * @param listener null: nobody wants to know
   */
  KeyTeller(ChangedKeys listener) {
    this.listener = listener;
  }

  void tell(BatchPlan plan) {
    if (listener != null) {
      plan.forEachApplied(this::tell);
    }
  }

  private void tell(Lsn end, RowChange change, Fate fate, RowKey rowKey) {
    TableId table = change.table().id();
    if (fate == Fate.TRUNCATE) {
      listener.truncated(table, end);
      return;
    }
    String[] old = fate == Fate.INSERT ? null : rowKey.ofOld(change);
    if (old != null) {
      listener.changed(table, rowKey.columns(), Arrays.asList(old), end);
    }
    if (fate != Fate.DELETE) {
      String[] key = rowKey.ofRow(rowKey.newValues(change));
      if (!Arrays.equals(old, key)) {
        listener.changed(table, rowKey.columns(), Arrays.asList(key), end);
      }
    }
  }
}
