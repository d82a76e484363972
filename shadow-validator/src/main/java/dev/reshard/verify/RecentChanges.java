package dev.reshard.verify;

import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which rows lanes have changed while a comparison ran, so that they can be compared again.
 * Thread-safe. Keeps at most {@link #MOST}; what comes after that is only counted.
 */
public final class RecentChanges {
  /** About 100 MB of keys at the most. */
  private static final int MOST = 500_000;

  /** Rows of one table by key. Immutable. */
  record TableRows(List<String> columns, List<List<String>> keys) {}

  /**
   * What was collected. Immutable.
   *
   * @param left out because there were too many
   */
  record Rows(Map<TableId, TableRows> byTable, long left) {
    Optional<TableRows> of(TableId table) {
      return Optional.ofNullable(byTable.get(table));
    }
  }

  private final Map<TableId, List<String>> columns = new HashMap<>();
  private final Map<TableId, Set<List<String>>> keys = new HashMap<>();
  private Set<TableId> without = Set.of();
  private boolean collecting;
  private int kept;
  private long left;

  /**
   * Takes note of a changed row, if somebody wants to know.
   *
   * @param keyColumns in any order: shards may have made the same key in another one
   */
  public synchronized void changed(TableId table, List<String> keyColumns, List<String> key) {
    if (!collecting || without.contains(table)) {
      return;
    }
    List<String> known = columns.computeIfAbsent(table, t -> List.copyOf(keyColumns));
    boolean isSame = known.equals(keyColumns);
    if (kept == MOST || !(isSame || Set.copyOf(known).equals(Set.copyOf(keyColumns)))) {
      left++;
      return;
    }
    List<String> ordered =
        isSame ? key : known.stream().map(column -> key.get(keyColumns.indexOf(column))).toList();
    if (keys.computeIfAbsent(table, t -> new LinkedHashSet<>()).add(ordered)) {
      kept++;
    }
  }

  /**
   * Begins to collect, from nothing.
   *
   * @param keyless tables whose rows are not compared again, as none can be found
   */
  synchronized void collect(Set<TableId> keyless) {
    collecting = true;
    without = Set.copyOf(keyless);
    columns.clear();
    keys.clear();
    kept = 0;
    left = 0;
  }

  /** Ends collecting and hands over. */
  synchronized Rows take() {
    collecting = false;
    Map<TableId, TableRows> byTable = new HashMap<>();
    keys.forEach(
        (table, rows) ->
            byTable.put(table, new TableRows(columns.get(table), new ArrayList<>(rows))));
    return new Rows(Map.copyOf(byTable), left);
  }
}
