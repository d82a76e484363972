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
 * What a batch of transactions means for the destination, table by table. One transaction that is
 * too large for memory is written piece by piece while it is read ({@link #write}); its writer's
 * transaction ends only when all of it is (HAZARDS F32). Confined to the lane's thread.
 */
final class BatchPlan {

  /** Where a table's shape at the destination comes from. */
  interface Tables {
    DestinationTable get(ChangedTable changed) throws SQLException;
  }

  /** A change of a bucket that has left the source. */
  record Violation(Lsn end, int place, RowChange change) {}

  /** Is told of a change that concerns the lane, and what identifies its row. */
  interface AppliedAction {
    void take(Lsn end, RowChange change, Fate fate, RowKey rowKey);
  }

  /** No more are named to an operator. */
  private static final int MOST_VIOLATIONS = 10_000;

  /** Read in well under a second. */
  private static final int CHANGES_PER_BEAT = 10_000;

  private record Part(DestinationTable table, Coalescer changes) {}

  private final LaneFilter filter;
  private final BucketSet muted;
  private final Tables tables;
  private final Beat beat;
  private final LaneLimits limits;
  private final boolean inOrder;
  private final List<Transaction> batch;

  private final List<Part> parts = new ArrayList<>();
  private final Map<TableId, Part> current = new HashMap<>();
  private final Map<ChangedTable, RowKey> rowKeys = new HashMap<>();
  private final List<Violation> violations = new ArrayList<>();
  private int rows;
  private int unwrittenRows;
  private long unwrittenBytes;

  private BatchPlan(
      List<Transaction> batch,
      LaneFilter filter,
      BucketSet muted,
      Tables tables,
      LaneLimits limits,
      Beat beat,
      boolean inOrder) {
    this.beat = beat;
    this.batch = batch;
    this.filter = filter;
    this.muted = muted;
    this.tables = tables;
    this.limits = limits;
    this.inOrder = inOrder;
  }

  /**
   * A plan of all that fits into memory; of a larger transaction, an empty one.
   *
   * @param beat called now and then while a large transaction is read
   * @param inOrder every change by itself, in the order in which it was made within its table
   * @throws LaneException if a change cannot be applied
   */
  static BatchPlan of(
      List<Transaction> batch,
      LaneFilter filter,
      BucketSet muted,
      Tables tables,
      LaneLimits limits,
      Beat beat,
      boolean inOrder)
      throws SQLException {
    BatchPlan plan = new BatchPlan(batch, filter, muted, tables, limits, beat, inOrder);
    if (!plan.isLarge()) {
      plan.readAll((table, step) -> {}); // writes nothing
    }
    return plan;
  }

  /** Whether the batch is one transaction that does not fit into memory. */
  private boolean isLarge() {
    return batch.size() == 1 && batch.get(0).bytes() > limits.batchBytes();
  }

  /**
   * Hands over all steps, those of one table after the other; order between tables does not matter.
   * Once there are {@link #violations} nothing more is handed over.
   */
  void write(StepAction action) throws SQLException {
    if (isLarge()) {
      readAll(action);
    }
    writeOut(action);
  }

  private void readAll(StepAction action) throws SQLException {
    for (Transaction transaction : batch) {
      add(transaction, action);
    }
  }

  private void writeOut(StepAction action) throws SQLException {
    if (violations.isEmpty()) {
      for (Part part : parts) {
        for (Step step : part.changes.steps()) {
          action.take(part.table, step);
        }
      }
    }
    parts.clear();
    current.clear();
    unwrittenRows = 0;
    unwrittenBytes = 0;
  }

  /** Shows that reading goes on, also where nothing that is read has to be written. */
  interface Beat {
    void beat() throws SQLException;
  }

  /** Takes one step. */
  interface StepAction {
    void take(DestinationTable table, Step step) throws SQLException;
  }

  List<Violation> violations() {
    return violations;
  }

  /** Goes once more through the changes that were written, in order. */
  void forEachApplied(AppliedAction action) {
    for (Transaction transaction : batch) {
      for (RowChange change : transaction.changes()) {
        Fate fate = filter.of(change);
        if (fate != Fate.IGNORE) {
          action.take(transaction.end(), change, fate, rowKeys.get(change.table()));
        }
      }
    }
  }

  /** How many changes concern the lane; known when they are written. */
  int rows() {
    return rows;
  }

  private void add(Transaction transaction, StepAction action) throws SQLException {
    boolean large = isLarge();
    int place = 0;
    for (RowChange change : transaction.changes()) {
      if (!muted.isEmpty() && filter.isViolation(change, muted)) {
        if (violations.size() < MOST_VIOLATIONS) {
          violations.add(new Violation(transaction.end(), place, withoutValues(change)));
        }
      } else {
        Fate fate = filter.of(change);
        if (fate != Fate.IGNORE) {
          if (large) {
            makeRoom(change, action);
          }
          part(change.table()).changes.add(fate, change);
          rows++;
        }
      }
      place++;
      if (large && place % CHANGES_PER_BEAT == 0) {
        beat.beat();
      }
    }
  }

  /** Writes what is there before a change that does not fit beside it. */
  private void makeRoom(RowChange change, StepAction action) throws SQLException {
    long bytes = change.textLength();
    if (unwrittenRows >= limits.batchRows() || unwrittenBytes + bytes > limits.batchBytes()) {
      writeOut(action);
    }
    unwrittenRows++;
    unwrittenBytes += bytes;
  }

  private static RowChange withoutValues(RowChange change) {
    return new RowChange(
        change.table(), change.kind(), change.oldBucket(), change.newBucket(), change.key(), null);
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
      rowKeys.put(table, destination.rowKey());
    }
    return part;
  }
}
