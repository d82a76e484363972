package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.RowChange;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Writes steps, and counts: each must find exactly its rows, unless the table is partly copied.
 * Confined to the lane's thread, made anew with each connection.
 */
final class StepWriter {
  private final LaneConfig config;
  private final Statements statements;
  private final MissingRows missing;
  private final IdentityHashMap<DestinationTable, TableSql> sqls = new IdentityHashMap<>();
  private DestinationTable table;
  private TableSql sql;
  private boolean partial;

  StepWriter(Connection connection, LaneConfig config) {
    this.config = config;
    this.statements = new Statements(connection);
    this.missing = new MissingRows(statements, config);
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
    partial = config.partial().contains(target.id());
    if (step instanceof Step.Net net) {
      writeNet(net);
    } else if (step instanceof Step.KeyChange change) {
      changeKey(change);
    } else if (step instanceof Step.RemoveOne remove) {
      removeOne(remove);
    } else if (step instanceof Step.ChangeOne change) {
      changeOne(change);
    } else {
      statements.prepare(sql.clear()).execute();
      if (partial) {
        missing.forgetAll(table);
      }
    }
  }

  private void writeNet(Step.Net net) throws SQLException {
    if (!net.deletes().isEmpty()) {
      int deleted =
          statements
              .prepare(sql.delete())
              .arrays(net.deletes(), table.rowKey().places().length)
              .execute();
      if (partial) {
        missing.forget(table, net.deletes());
      } else {
        found(deleted, net.deletes().size(), "DELETE", net.deletes().get(0));
      }
    }
    for (Map.Entry<BitSet, List<Step.Update>> group : net.updates().entrySet()) {
      if (!group.getKey().isEmpty() || partial) {
        update(group.getKey(), group.getValue());
      }
    }
    if (!net.inserts().isEmpty()) {
      statements.prepare(sql.insert()).arrays(net.inserts(), table.columns().size()).execute();
    }
  }

  private void update(BitSet set, List<Step.Update> rows) throws SQLException {
    int updated = set.isEmpty() ? 0 : update(sql.update(set), set, rows);
    if (updated < rows.size() && partial) {
      updated += missing.take(table, sql, rows);
    }
    if (!set.isEmpty() || !partial) {
      found(updated, rows.size(), "UPDATE", rows.get(0).key());
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
    List<Step.Update> one = List.of(new Step.Update(change.oldKey(), change.values()));
    int updated = update(replaces ? sql.replace(set) : sql.update(set), set, one);
    if (updated == 0 && partial) {
      missing.forget(table, List.<String[]>of(change.oldKey()));
      String[] newKey = table.rowKey().ofRow(change.values());
      updated = missing.take(table, sql, List.of(new Step.Update(newKey, change.values())));
    }
    found(updated, 1, "UPDATE", change.oldKey());
  }

  private int update(String statement, BitSet set, List<Step.Update> rows) throws SQLException {
    Statements.Bound bound = statements.prepare(statement);
    for (int i = 0; i < table.rowKey().places().length; i++) {
      int place = i;
      bound.array(rows, row -> row.key()[place]);
    }
    for (int place : sql.matched()) {
      bound.array(rows, row -> row.values()[place]);
    }
    for (int i = set.nextSetBit(0); i >= 0; i = set.nextSetBit(i + 1)) {
      int place = i;
      bound.array(rows, row -> row.values()[place]);
    }
    return bound.execute();
  }

  private void removeOne(Step.RemoveOne step) throws SQLException {
    Statements.Bound bound = statements.prepare(sql.removeOne());
    bindOne(bound, step.row());
    found(bound.execute(), 1, "DELETE", null);
  }

  private void changeOne(Step.ChangeOne step) throws SQLException {
    BitSet set = new BitSet();
    for (int i = 0; i < step.row().length; i++) {
      set.set(i, !Objects.equals(step.row()[i], step.values()[i]));
    }
    if (set.isEmpty()) {
      return;
    }
    Statements.Bound bound = statements.prepare(sql.changeOne(set));
    for (int i = set.nextSetBit(0); i >= 0; i = set.nextSetBit(i + 1)) {
      bound.text(step.values()[i]);
    }
    bindOne(bound, step.row());
    found(bound.execute(), 1, "UPDATE", null);
  }

  private void bindOne(Statements.Bound bound, String[] row) throws SQLException {
    if (table.shardKey().isPresent()) {
      bound.text(row[table.shardKey().getAsInt()]);
    }
    for (String value : row) {
      bound.text(value);
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
}
