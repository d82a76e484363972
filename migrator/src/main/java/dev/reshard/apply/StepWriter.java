package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.RowChange;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * Writes steps, and counts: each must find exactly its rows. Keeps its statements prepared;
 * confined to the lane's thread, made anew with each connection.
 */
final class StepWriter {
  private final Connection connection;
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private final IdentityHashMap<DestinationTable, TableSql> sqls = new IdentityHashMap<>();
  private DestinationTable table;
  private TableSql sql;

  StepWriter(Connection connection) {
    this.connection = connection;
  }

  /** The table that was written last, for errors. */
  Optional<DestinationTable> lastTable() {
    return Optional.ofNullable(table);
  }

  /**
   * @throws LaneException if it did not find exactly its rows
   */
  void write(DestinationTable target, Step step) throws SQLException {
    table = target;
    sql = sqls.computeIfAbsent(target, TableSql::new);
    if (step instanceof Step.Net net) {
      writeNet(net);
    } else if (step instanceof Step.KeyChange change) {
      changeKey(change);
    } else if (step instanceof Step.RemoveOne remove) {
      removeOne(remove);
    } else if (step instanceof Step.ChangeOne change) {
      changeOne(change);
    } else {
      prepare(sql.clear()).executeUpdate();
    }
  }

  private void writeNet(Step.Net net) throws SQLException {
    if (!net.deletes().isEmpty()) {
      Binder binder = new Binder(prepare(sql.delete()));
      int[] key = table.rowKey().places();
      for (int i = 0; i < key.length; i++) {
        int place = i;
        binder.array(net.deletes(), row -> row[place]);
      }
      found(binder.statement.executeUpdate(), net.deletes().size(), "DELETE", net.deletes().get(0));
    }
    for (Map.Entry<BitSet, List<Step.Update>> group : net.updates().entrySet()) {
      if (!group.getKey().isEmpty()) {
        update(sql.update(group.getKey()), group.getKey(), group.getValue());
      }
    }
    if (!net.inserts().isEmpty()) {
      Binder binder = new Binder(prepare(sql.insert()));
      for (int i = 0; i < table.columns().size(); i++) {
        int place = i;
        binder.array(net.inserts(), row -> row[place]);
      }
      binder.statement.executeUpdate();
    }
  }

  private void changeKey(Step.KeyChange change) throws SQLException {
    BitSet set = present(change.values());
    set.andNot(table.neverSet());
    int[] key = table.rowKey().places();
    boolean replaces = false;
    for (int i = 0; i < key.length; i++) {
      if (!Objects.equals(change.oldKey()[i], change.values()[key[i]])) {
        set.set(key[i]);
        replaces |= table.columns().get(key[i]).identityAlways();
      }
    }
    update(
        replaces ? sql.replace(set) : sql.update(set),
        set,
        List.of(new Step.Update(change.oldKey(), change.values())));
  }

  private void update(String statement, BitSet set, List<Step.Update> rows) throws SQLException {
    Binder binder = new Binder(prepare(statement));
    for (int i = 0; i < table.rowKey().places().length; i++) {
      int place = i;
      binder.array(rows, row -> row.key()[place]);
    }
    for (int place : sql.matched()) {
      binder.array(rows, row -> row.values()[place]);
    }
    for (int i = set.nextSetBit(0); i >= 0; i = set.nextSetBit(i + 1)) {
      int place = i;
      binder.array(rows, row -> row.values()[place]);
    }
    found(binder.statement.executeUpdate(), rows.size(), "UPDATE", rows.get(0).key());
  }

  private void removeOne(Step.RemoveOne step) throws SQLException {
    Binder binder = new Binder(prepare(sql.removeOne()));
    bindOne(binder, step.row());
    found(binder.statement.executeUpdate(), 1, "DELETE", null);
  }

  private void changeOne(Step.ChangeOne step) throws SQLException {
    BitSet set = new BitSet();
    for (int i = 0; i < step.row().length; i++) {
      set.set(i, !Objects.equals(step.row()[i], step.values()[i]));
    }
    if (set.isEmpty()) {
      return;
    }
    Binder binder = new Binder(prepare(sql.changeOne(set)));
    for (int i = set.nextSetBit(0); i >= 0; i = set.nextSetBit(i + 1)) {
      binder.text(step.values()[i]);
    }
    bindOne(binder, step.row());
    found(binder.statement.executeUpdate(), 1, "UPDATE", null);
  }

  private void bindOne(Binder binder, String[] row) throws SQLException {
    if (table.shardKey().isPresent()) {
      binder.text(row[table.shardKey().getAsInt()]);
    }
    for (String value : row) {
      binder.text(value);
    }
  }

  private static BitSet present(String[] values) {
    BitSet present = new BitSet(values.length);
    for (int i = 0; i < values.length; i++) {
      present.set(i, !RowChange.isUnchanged(values[i]));
    }
    return present;
  }

  private void found(int count, int expected, String kind, String[] key) {
    if (count != expected) {
      throw new LaneException(
          Problem.ROW_NOT_FOUND,
          """
          %s of %d row(s) of %s%s met %d row(s). So the destination is not what the source was: \
          somebody wrote there, or the copy is not whole. Do not cut over. 'reshard verify' shows \
          what differs; repair it, then 'reshard resume', or begin again from a new anchor."""
              .formatted(
                  kind,
                  expected,
                  table.id(),
                  key == null || expected > 1
                      ? ""
                      : " with %s = %s".formatted(table.rowKey().columns(), Arrays.toString(key)),
                  count));
    }
  }

  private PreparedStatement prepare(String statement) throws SQLException {
    PreparedStatement prepared = statements.get(statement);
    if (prepared == null) {
      prepared = connection.prepareStatement(statement);
      statements.put(statement, prepared);
    }
    return prepared;
  }

  /** Sets parameters from the first on. */
  private final class Binder {
    private final PreparedStatement statement;
    private int next = 1;

    Binder(PreparedStatement statement) {
      this.statement = statement;
    }

    <T> void array(List<T> rows, Function<T, String> column) throws SQLException {
      String[] texts = new String[rows.size()];
      for (int i = 0; i < texts.length; i++) {
        texts[i] = column.apply(rows.get(i));
      }
      statement.setArray(next++, connection.createArrayOf("text", texts));
    }

    void text(String value) throws SQLException {
      statement.setString(next++, value);
    }
  }
}
