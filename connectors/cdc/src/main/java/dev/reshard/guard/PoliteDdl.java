package dev.reshard.guard;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/**
 * DDL on a user's table: in one server call that takes the lock, works and commits, tried again
 * while the table is busy. Between two tries it waits until those are gone who were in the way, so
 * that no writer queues behind a try that cannot succeed. Confined to the thread of its connection.
 */
final class PoliteDdl {
  /** Who sets triggers: writers wait, readers do not. */
  static final String KEEPS_WRITERS_OUT = "SHARE ROW EXCLUSIVE";

  /** Who drops triggers: readers wait too. */
  static final String KEEPS_ALL_OUT = "ACCESS EXCLUSIVE";

  private static final String LOCK_NOT_AVAILABLE = "55P03";
  private static final String DEADLOCK = "40P01";
  private static final int LONGEST_PAUSE_MS = 1000;

  /** Older transactions that hold a lock in our way; young ones will be gone by the next try. */
  private static final String HOLDERS =
      """
      WITH locks AS MATERIALIZED (SELECT * FROM pg_locks)
      SELECT DISTINCT l.pid, p.gid, coalesce(a.usename, p.owner)::text AS role,
             a.application_name AS application, coalesce(a.xact_start, p.prepared) AS since
        FROM locks l
        LEFT JOIN pg_stat_activity a ON a.pid = l.pid
        LEFT JOIN locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
         AND x.virtualtransaction = l.virtualtransaction
        LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
       WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
         AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
         AND l.relation IN (SELECT r::regclass FROM unnest(?) r)
         AND (? OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
         AND coalesce(a.xact_start, p.prepared, '-infinity') < clock_timestamp() - interval '%d ms'""";

  private final Connection connection;
  private final Patience patience;

  PoliteDdl(Connection connection, Patience patience) {
    this.connection = connection;
    this.patience = patience;
  }

  /**
   * Runs statements on one table, all or none. The connection must be in autocommit.
   *
   * @param relations the table and its partitions, parents first
   * @throws TableBusyException if the lock could not be had
   */
  void run(TableId table, List<String> relations, String lockMode, List<String> statements)
      throws SQLException {
    run(table, relations, lockMode, statements, relations);
  }

  /**
   * As above, for statements that take their locks themselves.
   *
   * @param watched whose locks can be in the way
   */
  void run(
      TableId table,
      List<String> relations,
      String lockMode,
      List<String> statements,
      List<String> watched)
      throws SQLException {
    if (!connection.getAutoCommit()) {
      throw new IllegalStateException("DDL on a user's table is one call in autocommit");
    }
    long start = System.nanoTime();
    SQLException last = null;
    for (int pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      if (last == null || holders(watched, lockMode, 1000).isEmpty()) {
        try {
          call(relations, lockMode, statements);
          return;
        } catch (SQLException e) {
          if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState()) && !DEADLOCK.equals(e.getSQLState())) {
            throw e;
          }
          last = e;
        }
      }
      Duration waited = Duration.ofNanos(System.nanoTime() - start);
      if (waited.compareTo(patience.total()) >= 0) {
        throw new TableBusyException(table, waited, holders(watched, lockMode, 0), last);
      }
      pause(pauseMs);
    }
  }

  private void call(List<String> relations, String lockMode, List<String> statements)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("CALL reshard.guard_ddl(?, ?, ?, ?)")) {
      statement.setArray(1, connection.createArrayOf("text", relations.toArray()));
      statement.setString(2, lockMode);
      statement.setInt(3, (int) patience.stall().toMillis());
      statement.setArray(4, connection.createArrayOf("text", statements.toArray()));
      statement.execute();
    }
  }

  private List<Writer> holders(List<String> relations, String lockMode, int olderThanMs)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(HOLDERS.formatted(olderThanMs))) {
      statement.setArray(1, connection.createArrayOf("text", relations.toArray()));
      statement.setBoolean(2, lockMode.equals(KEEPS_ALL_OUT));
      return Guard.writers(statement);
    }
  }

  private static void pause(int millis) throws SQLException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted while waiting for a table's lock", "57014", e);
    }
  }
}
