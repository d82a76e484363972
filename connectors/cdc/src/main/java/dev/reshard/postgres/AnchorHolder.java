package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Takes an anchor and keeps its snapshot alive: a session that does nothing but hold it, so that
 * any number of others can read exactly that state. Thread-safe, but for {@link #close}.
 *
 * <p>The server makes the replication slot only when every transaction that had written something
 * at that moment has ended, prepared ones too; hence a limit, after which whoever is in the way is
 * named (HAZARDS F20).
 */
public final class AnchorHolder implements AutoCloseable {
  /** Our own: no session can see the anchor any more, and a new one must be taken. */
  public static final String SNAPSHOT_GONE = "RS003";

  /** "initial slot snapshot too large" (PostgreSQL, snapbuild.c). */
  private static final String TOO_MANY_SUBTRANSACTIONS = "40001";

  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);

  /** How long a cancelled session may take to say so. */
  private static final Duration CANCEL_LIMIT = Duration.ofSeconds(10);

  private static final String BLOCKERS =
      """
      SELECT coalesce(string_agg(%s, ', '), 'transactions that have ended by now')
        FROM unnest(pg_blocking_pids(?)) b (pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid"""
          .formatted(LockWait.WHO);

  private final ShardSessions sessions;
  private final Connection holder;
  private final Anchor anchor;

  private AnchorHolder(ShardSessions sessions, Connection holder, Anchor anchor) {
    this.sessions = sessions;
    this.holder = holder;
    this.anchor = anchor;
  }

  /**
   * Makes the replication slot, imports its snapshot into a session of its own and exports it
   * again. A temporary slot is gone when this returns.
   *
   * @param limit how long the server may take to make the slot, all tries together
   * @throws SQLTimeoutException naming the sessions that it still waits for; no slot is left
   * @throws InterruptedException no slot is left
   */
  public static AnchorHolder take(
      ShardSessions sessions,
      ShardId shard,
      String slot,
      ReplicationSlots.Kind kind,
      Duration limit)
      throws SQLException, InterruptedException {
    return retried(
        shard, limit, deadline -> takeOnce(sessions, shard, slot, kind, limit, deadline));
  }

  /**
   * Makes a permanent replication slot, whose snapshot nobody needs.
   *
   * @param limit how long the server may take to make the slot, all tries together
   * @return its position; the snapshot is gone
   * @throws SQLTimeoutException naming the sessions that it still waits for; no slot is left
   * @throws InterruptedException no slot is left
   */
  public static Anchor permanentSlot(
      ShardSessions sessions, ShardId shard, String slot, Duration limit)
      throws SQLException, InterruptedException {
    return retried(
        shard,
        limit,
        deadline -> {
          try (Connection observer = sessions.open(shard, "snapshot");
              Connection replication = sessions.openReplication(shard, "anchor")) {
            return create(
                replication,
                observer,
                shard,
                slot,
                ReplicationSlots.Kind.PERMANENT,
                limit,
                deadline);
          }
        });
  }

  /** One try to make a slot, until a moment of {@link System#nanoTime}. */
  private interface Try<T> {
    T until(long deadline) throws SQLException, InterruptedException;
  }

  private static <T> T retried(ShardId shard, Duration limit, Try<T> making)
      throws SQLException, InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    for (Duration pause = FIRST_PAUSE; ; pause = pause.multipliedBy(2)) {
      try {
        return making.until(deadline);
      } catch (SQLException e) {
        if (!TOO_MANY_SUBTRANSACTIONS.equals(e.getSQLState())) {
          throw e;
        }
        if (System.nanoTime() + pause.toNanos() >= deadline) {
          throw new SQLTimeoutException(
              ("Shard %s: no anchor within %s: more transactions and savepoints were open at once"
                      + " than a slot's snapshot can hold. Nothing was changed. Raise"
                      + " max_connections there, or try again when fewer savepoints are open.")
                  .formatted(shard, limit),
              e.getSQLState(),
              e);
        }
        Thread.sleep(pause.toMillis());
      }
    }
  }

  /** The anchor, with the name of the snapshot that this holder keeps alive. */
  public Anchor anchor() {
    return anchor;
  }

  /**
   * A session whose transaction, already begun and read-only, sees exactly the anchor. Whoever asks
   * for it closes it.
   *
   * @param part which part of the program it serves
   */
  public Connection open(String part) throws SQLException {
    Connection connection = sessions.open(anchor.shard(), part);
    try {
      begin(connection);
      return connection;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /**
   * Begins a read-only transaction that sees exactly the anchor; switches autocommit off.
   *
   * @param connection a session on the anchor's shard, outside a transaction
   * @throws SQLException with SQLSTATE {@link #SNAPSHOT_GONE} if the holder's session has ended
   */
  public void begin(Connection connection) throws SQLException {
    importSnapshot(connection, anchor);
  }

  /** Ends the holder's session; transactions that have begun keep the snapshot. Idempotent. */
  @Override
  public void close() throws SQLException {
    holder.close();
  }

  private static AnchorHolder takeOnce(
      ShardSessions sessions,
      ShardId shard,
      String slot,
      ReplicationSlots.Kind kind,
      Duration limit,
      long deadline)
      throws SQLException, InterruptedException {
    Connection holder = sessions.open(shard, "snapshot");
    boolean held = false;
    try (Connection replication = sessions.openReplication(shard, "anchor")) {
      Anchor made = create(replication, holder, shard, slot, kind, limit, deadline);
      try {
        importSnapshot(holder, made);
        Anchor kept =
            new Anchor(shard, slot, made.server(), made.position(), exportSnapshot(holder));
        held = true;
        return new AnchorHolder(sessions, holder, kept);
      } finally {
        if (!held || kind == ReplicationSlots.Kind.TEMPORARY) {
          execute(replication, "DROP_REPLICATION_SLOT " + slot);
        }
      }
    } finally {
      if (!held) {
        holder.close();
      }
    }
  }

  /** Waits for the server in another thread, so that this one can see whom the server waits for. */
  private static Anchor create(
      Connection replication,
      Connection observer,
      ShardId shard,
      String slot,
      ReplicationSlots.Kind kind,
      Duration limit,
      long deadline)
      throws SQLException, InterruptedException {
    FutureTask<Anchor> making =
        new FutureTask<>(() -> ReplicationSlots.create(replication, shard, slot, kind));
    Thread maker = new Thread(making, "anchor-" + shard);
    maker.setDaemon(true);
    maker.start();
    try {
      return get(making, Math.max(0, deadline - System.nanoTime()));
    } catch (TimeoutException e) {
      int pid = ShardSessions.pid(replication);
      String blockers = blockers(observer, pid);
      execute(observer, "SELECT pg_cancel_backend(%d)".formatted(pid));
      return afterCancel(making, shard, limit, blockers);
    } catch (InterruptedException e) {
      replication.abort(Runnable::run);
      execute(
          observer, "SELECT pg_terminate_backend(%d)".formatted(ShardSessions.pid(replication)));
      throw e;
    }
  }

  /** The slot may have been made in the very last moment; then it is used. */
  private static Anchor afterCancel(
      FutureTask<Anchor> making, ShardId shard, Duration limit, String blockers)
      throws SQLException, InterruptedException {
    try {
      return get(making, CANCEL_LIMIT.toNanos());
    } catch (SQLException | TimeoutException e) {
      throw new SQLTimeoutException(
          ("Shard %s: no anchor within %s, because PostgreSQL waits until these have ended: %s."
                  + " Nothing was changed. End them, or wait, then try again.")
              .formatted(shard, limit, blockers),
          "57014",
          e);
    }
  }

  private static Anchor get(FutureTask<Anchor> making, long nanos)
      throws SQLException, InterruptedException, TimeoutException {
    try {
      return making.get(nanos, TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Who holds what the session waits for; process 0 stands for prepared transactions. */
  private static String blockers(Connection observer, int pid) throws SQLException {
    try (PreparedStatement statement = observer.prepareStatement(BLOCKERS)) {
      statement.setInt(1, pid);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  private static void importSnapshot(Connection connection, Anchor anchor) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      try {
        statement.execute("SET TRANSACTION SNAPSHOT '%s'".formatted(anchor.snapshot()));
      } catch (SQLException e) {
        throw new SQLException(
            "Shard %s: the snapshot of %s is gone, with the session that held it (%s)"
                .formatted(anchor.shard(), anchor.position(), e.getMessage()),
            SNAPSHOT_GONE,
            e);
      }
    } catch (SQLException | RuntimeException e) {
      connection.rollback();
      connection.setAutoCommit(true);
      throw e;
    }
  }

  private static String exportSnapshot(Connection holder) throws SQLException {
    try (Statement statement = holder.createStatement();
        ResultSet row = statement.executeQuery("SELECT pg_export_snapshot()")) {
      row.next();
      return row.getString(1);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
