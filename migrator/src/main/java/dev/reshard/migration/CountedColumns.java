package dev.reshard.migration;

import dev.reshard.apply.LaneException;
import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import dev.reshard.change.Transaction;
import dev.reshard.keyspace.TableId;
import java.util.AbstractList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Takes the columns that the migration file has left out from what the stream says. A lane does it,
 * not capture: a column may be left out after its values came into the topic. Confined to the
 * lane's thread.
 */
final class CountedColumns {
  private final Map<TableId, Set<String>> ignored;
  private final Map<ChangedTable, Counted> known = new HashMap<>();

  /**
   * @param ignored names of columns, by their tables
   */
  CountedColumns(Map<TableId, Set<String>> ignored) {
    this.ignored = ignored;
  }

  /**
   * A table without those columns.
   *
   * @param places of the columns that are left
   * @param keyPlaces of the key's columns that are left, among the key's
   */
  private record Counted(ChangedTable table, List<Integer> places, List<Integer> keyPlaces) {}

  Transaction of(Transaction whole) {
    return ignored.isEmpty()
        ? whole
        : new Transaction(
            whole.incarnation(),
            whole.server(),
            whole.end(),
            whole.previous(),
            whole.committed(),
            new Changes(whole.changes()),
            whole.tokens(),
            whole.offset(),
            whole.bytes());
  }

  private RowChange of(RowChange change) {
    if (!ignored.containsKey(change.table().id())) {
      return change;
    }
    Counted counted = known.computeIfAbsent(change.table(), this::counted);
    return new RowChange(
        counted.table,
        change.kind(),
        change.oldBucket(),
        change.newBucket(),
        pick(change.key(), counted.keyPlaces),
        pick(change.values(), counted.places));
  }

  private Counted counted(ChangedTable table) {
    Set<String> not = ignored.get(table.id());
    requireKey(table, not);
    List<Integer> places =
        IntStream.range(0, table.columns().size())
            .filter(place -> !not.contains(table.columns().get(place)))
            .boxed()
            .toList();
    List<Integer> keyPlaces =
        IntStream.range(0, table.key().size())
            .filter(i -> places.contains(table.key().get(i)))
            .boxed()
            .toList();
    return new Counted(
        new ChangedTable(
            table.id(),
            places.stream().map(table.columns()::get).toList(),
            keyPlaces.stream().map(i -> places.indexOf(table.key().get(i))).toList()),
        places,
        keyPlaces);
  }

  /** Without a column of its key a change would be one of other rows, too. */
  private static void requireKey(ChangedTable table, Set<String> not) {
    boolean isFull = table.key().size() == table.columns().size();
    List<String> lost =
        table.key().stream().map(table.columns()::get).filter(not::contains).toList();
    if (!isFull && !lost.isEmpty()) {
      throw new LaneException(
          LaneException.Problem.TABLE_DIFFERS,
          ("keyspace.tables.ignored_columns names %s of table %s, which tell its rows apart. Nothing"
                  + " of it was applied; take them out of the file, start the worker anew, then"
                  + " 'reshard resume'.")
              .formatted(lost, table.id()));
    }
  }

  private static String[] pick(String[] values, List<Integer> places) {
    return values == null
        ? null
        : places.stream().map(place -> values[place]).toArray(String[]::new);
  }

  /** Made while it is read, as there may be more than fit into memory. */
  private final class Changes extends AbstractList<RowChange> {
    private final List<RowChange> whole;

    private Changes(List<RowChange> whole) {
      this.whole = whole;
    }

    @Override
    public int size() {
      return whole.size();
    }

    @Override
    public RowChange get(int index) {
      return of(whole.get(index));
    }

    @Override
    public Iterator<RowChange> iterator() {
      Iterator<RowChange> rows = whole.iterator();
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return rows.hasNext();
        }

        @Override
        public RowChange next() {
          return of(rows.next());
        }
      };
    }
  }
}
