package dev.reshard.apply;

import dev.reshard.apply.LaneFilter.Fate;
import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import dev.reshard.change.Transaction;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a batch of transactions means for the destination, table by table. Confined to the lane's
 * thread.
 */
final class BatchPlan {

  /** Where a table's shape at the destination comes from. */
  interface Tables {
    DestinationTable get(ChangedTable changed) throws SQLException;
  }

  /** A change of a bucket that has left the source. */
  record Violation(Lsn end, int place, RowChange change) {}

  /** A change that concerns the lane, and what identifies its row. */
  record Applied(Lsn end, RowChange change, Fate fate, RowKey rowKey) {}

  private record Part(DestinationTable table, Coalescer changes) {}

  private final LaneFilter filter;
  private final BucketSet muted;
  private final Tables tables;
  private final LaneLimits limits;
  private final boolean inOrder;
  private final boolean remember;

  private final List<Part> parts = new ArrayList<>();
  private final Map<TableId, Part> current = new HashMap<>();
  private final List<Violation> violations = new ArrayList<>();
  private final List<Applied> applied = new ArrayList<>();
  private int rows;

  private BatchPlan(
      LaneFilter filter,
      BucketSet muted,
      Tables tables,
      LaneLimits limits,
      boolean inOrder,
      boolean remember) {
    this.filter = filter;
    this.muted = muted;
    this.tables = tables;
    this.limits = limits;
    this.inOrder = inOrder;
    this.remember = remember;
  }

  /**
   * @param inOrder every change by itself, in the order in which it was made within its table
   * @param remember whether {@link #applied} is wanted
   * @throws LaneException if a change cannot be applied
   */
  static BatchPlan of(
      List<Transaction> batch,
      LaneFilter filter,
      BucketSet muted,
      Tables tables,
      LaneLimits limits,
      boolean inOrder,
      boolean remember)
      throws SQLException {
    BatchPlan plan = new BatchPlan(filter, muted, tables, limits, inOrder, remember);
    for (Transaction transaction : batch) {
      plan.add(transaction);
    }
    return plan;
  }

  /** The most steps come from one table after the other; order between tables does not matter. */
  void forEachStep(StepAction action) throws SQLException {
    for (Part part : parts) {
      for (Step step : part.changes.steps()) {
        action.take(part.table, step);
      }
    }
  }

  /** Takes one step. */
  interface StepAction {
    void take(DestinationTable table, Step step) throws SQLException;
  }

  List<Violation> violations() {
    return violations;
  }

  /** The changes that concern the lane, in order; empty unless they were to be remembered. */
  List<Applied> applied() {
    return applied;
  }

  /** How many changes concern the lane. */
  int rows() {
    return rows;
  }

  private void add(Transaction transaction) throws SQLException {
    int place = 0;
    for (RowChange change : transaction.changes()) {
      if (!muted.isEmpty() && filter.isViolation(change, muted)) {
        violations.add(new Violation(transaction.end(), place, change));
      } else {
        Fate fate = filter.of(change);
        if (fate != Fate.IGNORE) {
          Part part = part(change.table());
          part.changes.add(fate, change);
          rows++;
          if (remember) {
            applied.add(new Applied(transaction.end(), change, fate, part.table.rowKey()));
          }
        }
      }
      place++;
    }
  }

  private Part part(ChangedTable table) throws SQLException {
    Part part = current.get(table.id());
    if (part == null || !part.changes.table().equals(table)) {
      DestinationTable destination = tables.get(table);
      Coalescer changes =
          new Coalescer(
              table,
              destination.rowKey(),
              destination.neverSet(),
              inOrder ? 1 : limits.batchRows(),
              limits.batchBytes());
      part = new Part(destination, changes);
      parts.add(part);
      current.put(table.id(), part);
    }
    return part;
  }
}
