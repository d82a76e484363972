package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.throttle.Limits;
import dev.reshard.throttle.Throttle;
import dev.reshard.throttle.Turn;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * Copies what a plan says at one anchor. Call {@link CopyDestinations#prepare} first; then any
 * number of times with the same anchor: what the destinations have is not copied again.
 * Thread-safe.
 */
public final class ShardCopier {
  /** How often chunks are looked for that a destination has lost in a crash. */
  private static final int PASSES = 3;

  private final ShardSessions sessions;
  private final WorkerIdentity worker;
  private final CopyOptions options;
  private final CopyListener listener;
  private final Throttle throttle;
  private final BooleanSupplier stop;

  /** One that nothing holds back. */
  public ShardCopier(
      ShardSessions sessions,
      WorkerIdentity worker,
      CopyOptions options,
      CopyListener listener,
      BooleanSupplier stop) {
    this(sessions, worker, options, listener, new Throttle(Limits.NONE), stop);
  }

  /**
   * @param throttle what all chunks wait for
   * @param stop asked before each chunk by every worker: true ends the copy after the chunks that
   *     are under way
   */
  public ShardCopier(
      ShardSessions sessions,
      WorkerIdentity worker,
      CopyOptions options,
      CopyListener listener,
      Throttle throttle,
      BooleanSupplier stop) {
    this.sessions = sessions;
    this.worker = worker;
    this.options = options;
    this.listener = listener;
    this.throttle = throttle;
    this.stop = stop;
  }

  /**
   * Copies and waits until it is done, or stopped.
   *
   * @throws CopyException if it cannot go on before an operator has acted
   * @throws InterruptedException after the chunks under way have ended
   */
  public CopyResult copy(CopyPlan plan, AnchorHolder anchor)
      throws SQLException, InterruptedException {
    Lsn position = anchor.anchor().position();
    CopyTally tally = new CopyTally(plan, options.chunkBlocks(), listener);
    for (int pass = 0; ; pass++) {
      Map<ShardId, Loaded> loaded = loaded(plan, position);
      if (pass == 0) {
        tally.begin(loaded);
        if (!copy(missed(plan, loaded), 1, plan, anchor, loaded)) {
          return tally.result(position, false, loaded, Map.of());
        }
      }
      markComplete(plan, loaded);
      List<Missing> missing = missing(plan, loaded, tally);
      if (missing.isEmpty()) {
        checkUnchanged(plan);
        return tally.result(position, true, loaded, recounted(plan, anchor, loaded));
      }
      if (pass == PASSES) {
        throw new CopyException(
            CopyException.Reason.SERVER_FAILED,
            ("A destination of %s lost %d chunks again after they were loaded, e.g. %s. The copy is"
                    + " not complete. Find out why it restarts, then run again.")
                .formatted(plan.source(), missing.size(), missing.get(0).chunk()));
      }
      if (!copy(missing, Math.min(options.workers(), missing.size()), plan, anchor, loaded)) {
        Map<ShardId, Loaded> there = loaded(plan, position);
        markComplete(plan, there);
        return tally.result(position, false, there, Map.of());
      }
    }
  }

  private ChunkCopier copier(CopyPlan plan, AnchorHolder anchor, Map<ShardId, Loaded> loaded)
      throws SQLException {
    return new ChunkCopier(sessions, worker, anchor, plan, loaded, options);
  }

  /** False if it was stopped. */
  private boolean copy(
      List<? extends CopyWork.Item> items,
      int workers,
      CopyPlan plan,
      AnchorHolder anchor,
      Map<ShardId, Loaded> loaded)
      throws SQLException, InterruptedException {
    return items.isEmpty()
        || new CopyWork(
                items, () -> copier(plan, anchor, loaded), throttle, options.timeout(), stop)
            .run(workers);
  }

  /** A chunk of a table that some of its targets do not have. */
  private record Missing(TableCopy table, Chunk chunk, CopyTally tally) implements CopyWork.Item {
    @Override
    public long blocks() {
      return chunk.blocks();
    }

    @Override
    public boolean copy(ChunkCopier copier, Turn turn) throws SQLException {
      tally.add(table, chunk, copier.copy(table, chunk, turn));
      return true;
    }

    @Override
    public String toString() {
      return chunk.toString();
    }
  }

  /** Rows of a table that a destination has to get by their keys. */
  private record Missed(TableCopy table, Target target) implements CopyWork.Item {
    @Override
    public long blocks() {
      return 0;
    }

    @Override
    public boolean copy(ChunkCopier copier, Turn turn) throws SQLException {
      return copier.refetch(table, target, turn);
    }

    @Override
    public String toString() {
      return "changed rows of %s, to %s,".formatted(table.table().id(), target.destination());
    }
  }

  private static List<Missed> missed(CopyPlan plan, Map<ShardId, Loaded> loaded) {
    return plan.tables().stream()
        .flatMap(
            table ->
                table.targets().stream()
                    .filter(t -> loaded.get(t.destination()).missed().contains(table.table().id()))
                    .map(target -> new Missed(table, target)))
        .toList();
  }

  /**
   * Counts strays anew where earlier rounds found some: a row that was corrected since is none any
   * more, and no later chunk says so.
   */
  private static Map<TableId, Strays> recounted(
      CopyPlan plan, AnchorHolder anchor, Map<ShardId, Loaded> loaded) throws SQLException {
    Map<TableId, Strays> strays = new TreeMap<>();
    for (TableCopy table : plan.tables()) {
      TableId id = table.table().id();
      if (loaded.values().stream().anyMatch(of -> of.hadStrays(id, anchor.anchor().position()))) {
        try (Connection source = anchor.open("copy");
            Statement statement = source.createStatement();
            ResultSet row = statement.executeQuery(table.countStrays(Strays.KEYS))) {
          row.next();
          long rows = row.getLong(1);
          strays.put(
              id,
              new Strays(
                  rows, rows == 0 ? List.of() : List.of((String[]) row.getArray(2).getArray())));
        }
      }
    }
    return strays;
  }

  /**
   * Chunks that some target of their table does not have, in the order in which to copy them: a
   * table without a key first, for it is whole within one round or begins again (HAZARDS F3).
   */
  private List<Missing> missing(CopyPlan plan, Map<ShardId, Loaded> loaded, CopyTally tally) {
    List<Missing> missing = new ArrayList<>();
    for (TableCopy table : plan.tables()) {
      for (Chunk chunk : Chunk.cut(table.table(), options.chunkBlocks())) {
        if (!table.targets().stream()
            .allMatch(target -> loaded.get(target.destination()).has(chunk))) {
          missing.add(new Missing(table, chunk, tally));
        }
      }
    }
    missing.sort(
        Comparator.comparing((Missing item) -> item.table().table().isKeyed())
            .thenComparingInt(item -> options.rank(item.chunk().table())));
    return missing;
  }

  /** What the destinations have, after making sure that they cannot lose it any more. */
  private Map<ShardId, Loaded> loaded(CopyPlan plan, Lsn anchor) throws SQLException {
    CopyLedger ledger = new CopyLedger(worker.migration(), plan.source());
    Map<ShardId, Loaded> loaded = new TreeMap<>();
    for (ShardId destination : plan.destinations()) {
      try (Connection connection = sessions.open(destination, "copy")) {
        try (OwnTransaction begin =
            OwnTransaction.begin(connection, worker, OwnTransaction.Durability.SYNCHRONOUS)) {
          ledger.begin(connection, anchor);
          begin.commit();
        }
        Loaded of =
            new Loaded(
                ledger.claims(connection), ledger.entries(connection), ledger.missed(connection));
        checkRound(plan, destination, of, anchor);
        loaded.put(destination, of);
      }
    }
    return loaded;
  }

  /**
   * A table that is whole is marked so: then no later round need know how it was cut. Not before
   * its missing rows were fetched.
   */
  private void markComplete(CopyPlan plan, Map<ShardId, Loaded> loaded) throws SQLException {
    CopyLedger ledger = new CopyLedger(worker.migration(), plan.source());
    for (Map.Entry<ShardId, Loaded> of : loaded.entrySet()) {
      List<TableId> whole =
          plan.tablesTo(of.getKey()).stream()
              .map(TableCopy::table)
              .filter(table -> !of.getValue().isComplete(table.id()))
              .filter(
                  table ->
                      Chunk.cut(table, options.chunkBlocks()).stream().allMatch(of.getValue()::has))
              .map(Table::id)
              .toList();
      if (!whole.isEmpty()) {
        try (Connection connection = sessions.open(of.getKey(), "copy");
            OwnTransaction mark =
                OwnTransaction.begin(connection, worker, OwnTransaction.Durability.SYNCHRONOUS)) {
          for (TableId table : whole) {
            ledger.complete(connection, table);
          }
          mark.commit();
        }
      }
    }
  }

  private static void checkRound(CopyPlan plan, ShardId destination, Loaded loaded, Lsn anchor) {
    for (TableCopy table : plan.tablesTo(destination)) {
      TableId id = table.table().id();
      CopyLedger.Claim claim = loaded.claims().get(id);
      if (claim == null || !claim.round().equals(Optional.of(anchor))) {
        throw new CopyException(
            CopyException.Reason.OTHER_ANCHOR,
            ("Destination %s holds rows of %s that were copied from %s at %s, not at %s. Nothing was"
                    + " loaded now. A later round must be prepared first; 'run' does that.")
                .formatted(
                    destination,
                    id,
                    plan.source(),
                    claim == null ? "no anchor" : claim.round().map(Lsn::toString).orElse("none"),
                    anchor));
      }
    }
  }

  private void checkUnchanged(CopyPlan plan) throws SQLException {
    try (Connection catalog = sessions.open(plan.source(), "copy catalog")) {
      List<Table> before = plan.tables().stream().map(TableCopy::table).toList();
      Map<TableId, Table> now = Catalog.readAll(catalog, before.stream().map(Table::id).toList());
      before.forEach(
          table -> ChunkCopier.checkUnchanged(table, Optional.ofNullable(now.get(table.id()))));
    }
  }
}
