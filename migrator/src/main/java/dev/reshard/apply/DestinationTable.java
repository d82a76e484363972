package dev.reshard.apply;

import dev.reshard.change.ChangedTable;
import dev.reshard.keyspace.TableId;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A changed table as the destination has it: what statements need to know. Immutable.
 *
 * @param columns in the changed table's order
 * @param shardKey position of the shard key; empty for a reference table
 * @param clear the condition of a {@link Step.Clear}; empty: all rows
 */
record DestinationTable(
    ChangedTable table,
    RowKey rowKey,
    List<Column> columns,
    OptionalInt shardKey,
    Optional<String> clear) {

  /**
   * A column that we write.
   *
   * @param type to cast text to, without a modifier: an explicit cast to {@code varchar(3)} would
   *     cut a longer value silently, the assignment that follows complains
   * @param input what stands around text instead of a cast, with {@code %s} for the text: where a
   *     cast from text is a function of its own, it need not read what the type writes; empty
   *     mostly
   * @param equals the operator that a unique index on it uses; it may lie in any schema
   * @param identityAlways GENERATED ALWAYS AS IDENTITY: UPDATE cannot set it
   */
  record Column(String name, String type, String input, String equals, boolean identityAlways) {
    /** A value of the type, from an expression of type text. */
    String ofText(String expression) {
      return (input.isEmpty() ? expression : input.formatted(expression)) + "::" + type;
    }

    String quoted() {
      return TableId.quote(name);
    }
  }

  DestinationTable {
    columns = List.copyOf(columns);
  }

  TableId id() {
    return table.id();
  }

  /** Positions that an UPDATE of a row with the same key does not set. */
  BitSet neverSet() {
    BitSet places = identityAlways();
    for (int place : rowKey.places()) {
      places.set(place);
    }
    return places;
  }

  /**
   * Positions, beside the row key, that must be as the change says, because an UPDATE could not
   * make them so.
   */
  BitSet mustMatch() {
    BitSet places = identityAlways();
    for (int place : rowKey.places()) {
      places.clear(place);
    }
    return places;
  }

  private BitSet identityAlways() {
    BitSet places = new BitSet(columns.size());
    for (int i = 0; i < columns.size(); i++) {
      places.set(i, columns.get(i).identityAlways());
    }
    return places;
  }
}
