package dev.reshard.apply;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.List;

/**
 * Learns which rows a lane has changed, so that they can be compared again. Called on the lane's
 * thread, after the commit and before the lane shows its new position: whoever sees {@code applied}
 * at a position has been told of all before it. Must return at once, and bounds what it keeps. A
 * batch may be told again after a crash, and is told although its commit failed, as its fate is not
 * known then.
 */
public interface ChangedKeys {

  /**
   * A row that was written, or deleted; a row whose key changed is told twice, old key first.
   *
   * @param columns the row key's columns; for a table without a key all columns
   * @param key its values as text, in that order
   */
  void changed(TableId table, List<String> columns, List<String> key, Lsn end);

  /** Any row of the lane's buckets in that table. */
  void truncated(TableId table, Lsn end);
}
