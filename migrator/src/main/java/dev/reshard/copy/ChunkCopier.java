package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.CopyReader;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.throttle.Turn;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Copies one chunk after the other, each in a transaction of its own on the source and on every
 * destination. Its sessions are its own. Confined to one worker's thread.
 *
 * <p>A table is locked against rewrites while a chunk of it is read, and compared with what it was
 * before the anchor after the lock was taken, on a session that sees the catalog of today: the
 * snapshot's own would show the old one for ever (HAZARDS F5).
 */
final class ChunkCopier implements AutoCloseable {

  /** What a chunk brought, and to whom: destinations that had it already are not in the maps. */
  record Copied(Map<ShardId, Long> rows, long bytes, long strays, List<String> strayKeys) {}

  /**
   * How long a row may wait for another transaction with the same unique key: two workers could
   * wait for each other on two servers, where neither server sees it.
   */
  private static final Duration LOCK_LIMIT = Duration.ofSeconds(20);

  private final AnchorHolder anchor;
  private final CopyLedger ledger;
  private final WorkerIdentity worker;
  private final Connection source;
  private final Connection catalog;
  private final Map<ShardId, Loaded> loaded;
  private final CopyOptions options;
  private final Map<ShardId, Connection> destinations = new TreeMap<>();

  /**
   * Opens its sessions.
   *
   * @param loaded what each destination had when this round began
   */
  ChunkCopier(
      ShardSessions sessions,
      WorkerIdentity worker,
      AnchorHolder anchor,
      CopyPlan plan,
      Map<ShardId, Loaded> loaded,
      CopyOptions options)
      throws SQLException {
    this.anchor = anchor;
    this.loaded = loaded;
    this.options = options;
    this.worker = worker;
    this.ledger = new CopyLedger(worker.migration(), plan.source());
    List<Connection> open = new ArrayList<>();
    try {
      source = add(open, sessions.open(plan.source(), "copy"));
      catalog = add(open, sessions.open(plan.source(), "copy catalog"));
      for (ShardId destination : plan.destinations()) {
        Connection connection = add(open, sessions.open(destination, "copy"));
        destinations.put(destination, connection);
        try (Statement statement = connection.createStatement()) {
          statement.execute("SET lock_timeout = '%ds'".formatted(LOCK_LIMIT.toSeconds()));
        }
      }
      try (Statement statement = source.createStatement()) {
        statement.execute("SET max_parallel_workers_per_gather = 0; SET jit = off");
      }
    } catch (SQLException | RuntimeException e) {
      for (Connection connection : open) {
        connection.close();
      }
      throw e;
    }
  }

  private static Connection add(List<Connection> open, Connection connection) {
    open.add(connection);
    return connection;
  }

  /**
   * Copies a chunk to the destinations that do not have it yet.
   *
   * @param turn is told each row
   * @throws CopyException if the table changed, or a row meets another one under a unique key
   */
  Copied copy(TableCopy table, Chunk chunk, Turn turn) throws SQLException {
    try (Router router =
        new Router(table.partitioning().count(), bytes -> requireSmall(table, chunk, bytes))) {
      for (Target target : table.targets()) {
        open(router, table, target, chunk);
      }
      anchor.begin(source);
      try {
        lock(table, chunk);
        Copied copied = relay(router, table, chunk, turn);
        source.commit();
        return copied;
      } finally {
        source.rollback();
        source.setAutoCommit(true);
      }
    }
  }

  /**
   * Copies some of the rows that the stream could not bring whole since the last round (HAZARDS
   * F8).
   *
   * @param turn is told each row
   * @return whether there are no more
   */
  boolean refetch(TableCopy table, Target target, Turn turn) throws SQLException {
    Refetch refetch = new Refetch(worker, ledger.source(), table, target, options.batches());
    anchor.begin(source);
    try {
      return refetch.copySome(source, destinations.get(target.destination()), turn);
    } finally {
      source.rollback();
      source.setAutoCommit(true);
    }
  }

  private void open(Router router, TableCopy table, Target target, Chunk chunk)
      throws SQLException {
    Loaded there = loaded.get(target.destination());
    if (there.isComplete(chunk.table())) {
      router.add(target, Optional.empty());
      return;
    }
    Optional<Load> load =
        Load.open(
            destinations.get(target.destination()),
            worker,
            target.destination(),
            table,
            chunk,
            ledger,
            anchor.anchor().position(),
            there.isLater(chunk.table()),
            options.batches());
    router.add(target, load);
  }

  private Copied relay(Router router, TableCopy table, Chunk chunk, Turn turn) throws SQLException {
    long strays;
    try (CopyReader rows = CopyReader.open(source, table.select(chunk), table.format())) {
      strays = router.route(rows, turn);
    } catch (OutOfMemoryError e) {
      throw new CopyException(
          CopyException.Reason.ROW_TOO_LARGE,
          ("A row of %s, or the rows that are copied at a time, do not fit into the heap of %d MB."
                  + " The destinations hold whole chunks only; the copy is not complete. Start the"
                  + " worker anew with a larger heap (-Xmx), or lower copy.workers, copy.batch or"
                  + " copy.prefetch, then 'reshard resume'.")
              .formatted(chunk, Runtime.getRuntime().maxMemory() >> 20),
          e);
    }
    List<String> keys = strays == 0 ? List.of() : strayKeys(table, chunk);
    Map<ShardId, Long> loaded = new TreeMap<>();
    long bytes = 0;
    for (Load load : router.loads()) {
      loaded.put(load.destination(), load.commit(strays));
      bytes += load.bytes();
    }
    return new Copied(loaded, bytes, strays, keys);
  }

  private void requireSmall(TableCopy table, Chunk chunk, int bytes) {
    if (bytes > options.maxRowBytes()) {
      throw new CopyException(
          CopyException.Reason.ROW_TOO_LARGE,
          ("A row of %s takes %d MB, and budget.max_row is %d MB. The destinations hold whole chunks"
                  + " only; the copy is not complete. Find it with: SELECT %s FROM %s WHERE %s ORDER"
                  + " BY pg_column_size(%s.*) DESC LIMIT 1. Make it smaller, or raise budget.max_row"
                  + " in the file and start the worker anew with a heap (-Xmx) of eight times as"
                  + " much; then 'reshard resume'.")
              .formatted(
                  chunk,
                  bytes >> 20,
                  options.maxRowBytes() >> 20,
                  table.rowKeyText(),
                  chunk.leaf().id().quoted(),
                  chunk.where(),
                  TableId.quote(chunk.leaf().id().name())));
    }
  }

  private void lock(TableCopy table, Chunk chunk) throws SQLException {
    try (Statement statement = source.createStatement()) {
      statement.execute(
          "LOCK TABLE ONLY %s IN ACCESS SHARE MODE".formatted(chunk.leaf().id().quoted()));
    } finally {
      // also when there is no such table any more
      checkUnchanged(table.table(), Catalog.find(catalog, table.table().id()));
    }
  }

  /** Compares a table with what it was before the anchor. */
  static void checkUnchanged(Table before, Optional<Table> now) {
    if (now.isEmpty() || !now.get().fingerprint().equals(before.fingerprint())) {
      throw new CopyException(
          CopyException.Reason.CATALOG_CHANGED,
          ("Table %s was rewritten, altered or dropped, or its partitions changed, since this round"
                  + " of the copy began. Another round begins, and looks at that table anew.")
              .formatted(before.id()));
    }
  }

  private List<String> strayKeys(TableCopy table, Chunk chunk) throws SQLException {
    List<String> keys = new ArrayList<>();
    try (Statement statement = source.createStatement();
        ResultSet row = statement.executeQuery(table.selectStrays(chunk, Strays.KEYS))) {
      while (row.next()) {
        keys.add(row.getString(1));
      }
    }
    return keys;
  }

  private List<Connection> sessions() {
    List<Connection> all = new ArrayList<>(destinations.values());
    all.add(source);
    all.add(catalog);
    return all;
  }

  /** Cuts all sessions off, so that whoever waits for one of them fails; by any thread. */
  void abort() {
    for (Connection connection : sessions()) {
      try {
        connection.abort(Runnable::run);
      } catch (SQLException e) {
        // it is cut off, then
      }
    }
  }

  /** Closes all sessions, even if one of them does not close. */
  @Override
  public void close() throws SQLException {
    SQLException failure = null;
    for (Connection connection : sessions()) {
      try {
        connection.close();
      } catch (SQLException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
