package dev.reshard.apply;

import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How the rows of a changed table are told apart at the destination, and where a change says it.
 * Immutable.
 *
 * <p>Mostly the source's replica identity. Where that is FULL, yet the destination has an immediate
 * primary key, the primary key and the shard key are enough, and an index finds them.
 */
final class RowKey {
  private final List<String> columns;
  private final int[] places;
  private final int[] oldPlaces;
  private final int[] keyColumns;
  private final boolean keyless;

  private RowKey(ChangedTable table, int[] places, boolean keyless) {
    this.places = places;
    this.keyless = keyless;
    this.keyColumns = table.key().stream().mapToInt(Integer::intValue).toArray();
    this.oldPlaces = IntStream.of(places).map(place -> table.key().indexOf(place)).toArray();
    this.columns = IntStream.of(places).mapToObj(table.columns()::get).toList();
  }

  /**
   * @param identifying columns that tell rows apart at the destination if the source sends whole
   *     old rows; empty if there are none
   */
  static RowKey of(ChangedTable table, List<String> identifying) {
    if (!table.isKeyless()) {
      return new RowKey(table, table.key().stream().mapToInt(i -> i).toArray(), false);
    }
    if (identifying.isEmpty()) {
      return new RowKey(table, IntStream.range(0, table.columns().size()).toArray(), true);
    }
    int[] places = identifying.stream().mapToInt(table.columns()::indexOf).toArray();
    return new RowKey(table, places, false);
  }

  /** Names, in the order of the arrays that this class returns. */
  List<String> columns() {
    return columns;
  }

  /** Positions among the table's columns. */
  int[] places() {
    return places.clone();
  }

  /** Twins are possible: a row is known by all its columns only. */
  boolean keyless() {
    return keyless;
  }

  /** The key of the old row of an UPDATE or DELETE. */
  String[] ofOld(RowChange change) {
    return pick(change.key(), oldPlaces);
  }

  /** The key of a whole row, or of one whose unchanged values were filled in. */
  String[] ofRow(String[] values) {
    return pick(values, places);
  }

  /**
   * The new row. A value that the server did not send because it is unchanged is taken from the old
   * row where that is known: where the column belongs to the replica identity.
   */
  String[] newValues(RowChange change) {
    String[] values = change.values();
    String[] filled = null;
    for (int i = 0; i < keyColumns.length; i++) {
      if (RowChange.isUnchanged(values[keyColumns[i]])) {
        filled = filled == null ? values.clone() : filled;
        filled[keyColumns[i]] = change.key()[i];
      }
    }
    return filled == null ? values : filled;
  }

  private static String[] pick(String[] from, int[] places) {
    String[] picked = new String[places.length];
    for (int i = 0; i < places.length; i++) {
      picked[i] = from[places[i]];
    }
    return picked;
  }
}
