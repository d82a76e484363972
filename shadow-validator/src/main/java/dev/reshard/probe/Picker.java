package dev.reshard.probe;

import dev.reshard.keyspace.TableId;
import dev.reshard.probe.RandomRows.Picked;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Which row to compare next: in turn one that a lane has just changed and a random one; of the
 * random ones every fourth pick is made on the destination, to find rows that only it has. Confined
 * to one thread.
 */
final class Picker {
  private final Map<TableId, ProbedTable> tables;
  private final ChangedRows changed;
  private final RandomRows atSource;
  private final RandomRows atDestination;
  private final Deque<Picked> picked = new ArrayDeque<>();
  private long turn;
  private long picks;

  Picker(
      List<ProbedTable> tables,
      ChangedRows changed,
      RandomRows atSource,
      RandomRows atDestination) {
    this.tables = tables.stream().collect(Collectors.toMap(ProbedTable::id, Function.identity()));
    this.changed = changed;
    this.atSource = atSource;
    this.atDestination = atDestination;
  }

  /** Empty if there was no row where it looked. */
  Optional<Picked> next() throws SQLException {
    if (turn++ % 2 == 0) {
      Optional<Picked> row = justChanged();
      if (row.isPresent()) {
        return row;
      }
    }
    if (picked.isEmpty()) {
      picked.addAll((picks++ % 4 == 3 ? atDestination : atSource).pick());
    }
    return Optional.ofNullable(picked.poll());
  }

  private Optional<Picked> justChanged() {
    ChangedRows.Changed row = changed.poll();
    if (row == null || !tables.containsKey(row.table())) {
      return Optional.empty();
    }
    ProbedTable table = tables.get(row.table());
    return table.keyOf(row.columns(), row.key()).map(key -> new Picked(table, key));
  }
}
