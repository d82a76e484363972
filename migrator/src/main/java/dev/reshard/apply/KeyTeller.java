package dev.reshard.apply;

import dev.reshard.apply.LaneFilter.Fate;
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
    plan.applied().forEach(this::tell);
  }

  private void tell(BatchPlan.Applied applied) {
    Fate fate = applied.fate();
    if (fate == Fate.TRUNCATE) {
      listener.truncated(applied.change().table().id(), applied.end());
      return;
    }
    RowKey rowKey = applied.rowKey();
    String[] old = fate == Fate.INSERT ? null : rowKey.ofOld(applied.change());
    if (old != null) {
      tell(applied, old);
    }
    if (fate != Fate.DELETE) {
      String[] key = rowKey.ofRow(rowKey.newValues(applied.change()));
      if (!Arrays.equals(old, key)) {
        tell(applied, key);
      }
    }
  }

  private void tell(BatchPlan.Applied applied, String[] key) {
    listener.changed(
        applied.change().table().id(),
        applied.rowKey().columns(),
        Arrays.asList(key),
        applied.end());
  }
}
