package dev.reshard.capture;

import dev.reshard.keyspace.TableId;
import java.util.List;

/**
 * A table as the server announced it before its first row, or after a change of it. Immutable.
 *
 * @param key positions in {@code columns} of the replica identity; all of them if it is FULL
 * @param full whether it is: then each UPDATE and DELETE says the whole old row
 */
record Relation(TableId id, List<String> columns, List<Integer> key, boolean full) {
  Relation {
    columns = List.copyOf(columns);
    key = List.copyOf(key);
  }
}
