package dev.reshard.verify;

import dev.reshard.copy.CopyPlan;
import dev.reshard.copy.TableCopy;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;

/**
 * The full verification of one source: every row that moves, on both sides, at one position. The
 * lanes stand still for less than {@link Freezer#HOLD_LIMIT}; the comparison itself holds up
 * nobody. Thread-safe.
 */
public final class FrozenComparison {
  private final ShardSessions sessions;
  private final Consumer<TableResult> listener;

  /**
   * @param listener is told of each table when it was compared, by one thread for each destination
   */
  public FrozenComparison(ShardSessions sessions, Consumer<TableResult> listener) {
    this.sessions = sessions;
    this.listener = listener;
  }

  /**
   * Compares.
   *
   * @param plan tables, buckets and destinations, as for a copy
   * @param lanes of the source, one to each destination of the plan; at least one
   * @param slot name for a temporary replication slot
   * @throws ComparisonException if no comparison could be made
   */
  public ComparisonResult compare(CopyPlan plan, List<HeldLane> lanes, String slot)
      throws SQLException, InterruptedException {
    return compare(plan, lanes, slot, (table, comparison) -> Optional.of(comparison.compare()));
  }

  /**
   * Compares again, at a later position, only rows that changed since.
   *
   * @param changed of keyed tables; others are left out
   */
  public ComparisonResult compareAgain(
      CopyPlan plan, List<HeldLane> lanes, String slot, RecentChanges.Rows changed)
      throws SQLException, InterruptedException {
    return compare(
        plan,
        lanes,
        slot,
        (table, comparison) -> {
          Optional<RecentChanges.TableRows> rows = changed.of(table.table().id());
          return rows.isEmpty() || comparison.keyColumns().isEmpty()
              ? Optional.empty()
              : Optional.of(comparison.compareKeys(rows.get().columns(), rows.get().keys()));
        });
  }

  /** Looks at one table; empty if there is nothing to look at. */
  private interface Look {
    Optional<TableResult> at(TableCopy table, TableComparison comparison)
        throws SQLException, InterruptedException;
  }

  private ComparisonResult compare(CopyPlan plan, List<HeldLane> lanes, String slot, Look look)
      throws SQLException, InterruptedException {
    long start = System.nanoTime();
    try (FrozenSides frozen = new Freezer(sessions, plan.source(), lanes).freeze(slot)) {
      List<FutureTask<List<TableResult>>> running = new ArrayList<>();
      for (ShardId destination : frozen.destinations().keySet()) {
        FutureTask<List<TableResult>> task =
            new FutureTask<>(
                () ->
                    compare(
                        plan,
                        destination,
                        frozen.sources().get(destination),
                        frozen.destinations().get(destination),
                        look));
        running.add(task);
        new Thread(task, "compare-" + destination).start();
      }
      List<TableResult> results = new ArrayList<>();
      for (FutureTask<List<TableResult>> task : running) {
        results.addAll(get(task));
      }
      return new ComparisonResult(
          plan.source(),
          frozen.position(),
          frozen.held(),
          Duration.ofNanos(System.nanoTime() - start),
          results);
    }
  }

  private List<TableResult> compare(
      CopyPlan plan,
      ShardId destination,
      Connection sourceSide,
      Connection destinationSide,
      Look look)
      throws SQLException, InterruptedException {
    List<TableResult> results = new ArrayList<>();
    for (TableCopy table : plan.tablesTo(destination)) {
      TableComparison comparison =
          TableComparison.of(sourceSide, destinationSide, table, table.target(destination));
      look.at(table, comparison)
          .ifPresent(
              result -> {
                listener.accept(result);
                results.add(result);
              });
    }
    return results;
  }

  private static List<TableResult> get(FutureTask<List<TableResult>> task)
      throws SQLException, InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException cause) {
        throw cause;
      }
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}
