package dev.reshard.change;

import dev.reshard.keyspace.TableId;
import java.util.List;

/**
 * The columns that a change carries, in order. Immutable.
 *
 * @param columns names, without generated columns
 * @param key positions in {@code columns} of the row key; all of them if the identity is FULL
 */
public record ChangedTable(TableId id, List<String> columns, List<Integer> key) {
  public ChangedTable {
    columns = List.copyOf(columns);
    key = List.copyOf(key);
  }

  /** A row is known by all its columns only: it has no key, and twins are possible. */
  public boolean isKeyless() {
    return key.size() == columns.size();
  }
}
