package dev.reshard.probe;

import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Rows that a lane has just changed, as many as can be looked at soon; what does not fit is
 * dropped. Thread-safe; never blocks.
 */
final class ChangedRows {
  private static final int ROOM = 256;

  /** A row as the lane names it; values may be null. */
  record Changed(TableId table, List<String> columns, List<String> key) {}

  private final ArrayBlockingQueue<Changed> rows = new ArrayBlockingQueue<>(ROOM);

  void offer(TableId table, List<String> columns, List<String> key) {
    if (rows.remainingCapacity() > 0) {
      boolean unused = rows.offer(new Changed(table, columns, new ArrayList<>(key)));
    }
  }

  /** Null if there is none. */
  Changed poll() {
    return rows.poll();
  }
}
