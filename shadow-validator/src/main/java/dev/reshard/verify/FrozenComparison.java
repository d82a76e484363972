package dev.reshard.verify;

import dev.reshard.copy.CopyPlan;
import dev.reshard.copy.TableCopy;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.throttle.Turn;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The full verification of one source: every row that moves, on both sides, at one position. The
 * lanes stand still for less than {@link Freezer#HOLD_LIMIT}; the comparison itself holds up
 * nobody. Thread-safe.
 *
 * <p>One that its throttle holds back lets the snapshots go after a while, and goes on from another
 * position with the tables that are not compared yet: what changed of the others meanwhile is for
 * {@link #compareAgain}. It is not begun while the throttle says to pause.
 */
public final class FrozenComparison {
  private static final Logger log = LoggerFactory.getLogger(FrozenComparison.class);

  /** So many snapshots with a pause in each, and no table got done. */
  private static final int MOST_IN_VAIN = 3;

  private final ShardSessions sessions;
  private final Consumer<TableResult> listener;
  private final ComparisonLimits limits;

  /**
   * One that nothing holds back.
   *
   * @param listener is told of each table when it was compared, by one thread for each destination
   */
  public FrozenComparison(ShardSessions sessions, Consumer<TableResult> listener) {
    this(sessions, listener, ComparisonLimits.NONE);
  }

  FrozenComparison(
      ShardSessions sessions, Consumer<TableResult> listener, ComparisonLimits limits) {
    this.sessions = sessions;
    this.listener = listener;
    this.limits = limits;
  }

  /**
   * Compares.
   *
   * @param plan tables, buckets and destinations, as for a copy
   * @param lanes of the source, one to each destination of the plan; at least one
   * @param slot name for a temporary replication slot
   * @param begins run before the first position is taken: what changes from then on may be other
   *     than what is compared
   * @throws ComparisonException if no comparison could be made
   * @throws HeldUpException if it was to end before that, or could not get on
   */
  public ComparisonResult compare(CopyPlan plan, List<HeldLane> lanes, String slot, Runnable begins)
      throws SQLException, InterruptedException {
    return compare(
        plan, lanes, slot, begins, (table, comparison) -> Optional.of(comparison.compare()));
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
        () -> {},
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

  /** One table on one destination. */
  private record Piece(TableCopy table, ShardId destination) {}

  private ComparisonResult compare(
      CopyPlan plan, List<HeldLane> lanes, String slot, Runnable begins, Look look)
      throws SQLException, InterruptedException {
    long start = System.nanoTime();
    List<Piece> pieces =
        plan.destinations().stream()
            .flatMap(to -> plan.tablesTo(to).stream().map(table -> new Piece(table, to)))
            .toList();
    Map<Piece, Optional<TableResult>> done = new ConcurrentHashMap<>();
    int inVain = 0;
    awaitBegin();
    begins.run();
    while (true) {
      int before = done.size();
      try (FrozenSides frozen = new Freezer(sessions, plan.source(), lanes).freeze(slot);
          Turns turns = new Turns(limits)) {
        if (compare(pieces, frozen, turns, look, done)) {
          return new ComparisonResult(
              plan.source(),
              frozen.position(),
              frozen.held(),
              Duration.ofNanos(System.nanoTime() - start),
              pieces.stream().map(done::get).flatMap(Optional::stream).toList());
        }
        inVain = done.size() == before ? inVain + 1 : 0;
        int most = turns.wasPaused() ? MOST_IN_VAIN : 1;
        if (!limits.stop().getAsBoolean() && inVain >= most) {
          throw tooSlow(plan.source(), pieces.stream().filter(p -> !done.containsKey(p)).toList());
        }
      }
      log.info(
          "{}: {} of {} tables are compared; the snapshots are let go{}",
          plan.source(),
          done.size(),
          pieces.size(),
          why());
      awaitBegin();
    }
  }

  /** Without lanes that are held, and without snapshots. */
  private void awaitBegin() throws InterruptedException {
    try (Turn turn = limits.throttle().begin(0, limits.stop()).orElse(null)) {
      if (turn == null) {
        throw new HeldUpException(
            ("given up, as something else was asked of the worker, or it ends%s. Nothing is stored of"
                    + " it. Run 'reshard verify' again")
                .formatted(why()));
      }
    }
  }

  private String why() {
    return limits.throttle().told().map(" (%s)"::formatted).orElse("");
  }

  private HeldUpException tooSlow(ShardId source, List<Piece> left) {
    return new HeldUpException(
        ("given up: table %s on shard %s could not be compared within the %d s for which a comparison"
                + " that is held back keeps a snapshot (copy.snapshot)%s. Nothing is stored of it."
                + " Let it run faster (throttle, or 'reshard throttle'), or raise copy.snapshot in the"
                + " file and start the worker anew; then 'reshard verify' again")
            .formatted(
                left.get(0).table().table().id(), source, limits.snapshot().toSeconds(), why()));
  }

  /** False if it was to let the snapshots go before all was compared. */
  private boolean compare(
      List<Piece> pieces,
      FrozenSides frozen,
      Turns turns,
      Look look,
      Map<Piece, Optional<TableResult>> done)
      throws SQLException, InterruptedException {
    List<FutureTask<Boolean>> running = new ArrayList<>();
    for (ShardId destination : frozen.destinations().keySet()) {
      List<Piece> own =
          pieces.stream()
              .filter(piece -> piece.destination().equals(destination) && !done.containsKey(piece))
              .toList();
      FutureTask<Boolean> task = new FutureTask<>(() -> compareAll(own, frozen, turns, look, done));
      running.add(task);
      new Thread(task, "compare-" + destination).start();
    }
    boolean all = true;
    for (FutureTask<Boolean> task : running) {
      all &= get(task);
    }
    return all;
  }

  private boolean compareAll(
      List<Piece> pieces,
      FrozenSides frozen,
      Turns turns,
      Look look,
      Map<Piece, Optional<TableResult>> done)
      throws SQLException, InterruptedException {
    try {
      for (Piece piece : pieces) {
        TableComparison comparison =
            TableComparison.of(
                frozen.sources().get(piece.destination()),
                frozen.destinations().get(piece.destination()),
                piece.table(),
                piece.table().target(piece.destination()),
                turns);
        Optional<TableResult> result = look.at(piece.table(), comparison);
        result.ifPresent(listener);
        done.put(piece, result);
      }
      return true;
    } catch (HeldUpException e) {
      log.debug("{}", e.getMessage());
      return false;
    }
  }

  private static boolean get(FutureTask<Boolean> task) throws SQLException, InterruptedException {
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
