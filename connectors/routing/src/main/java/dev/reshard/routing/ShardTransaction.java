package dev.reshard.routing;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a function once, in one transaction on one shard. Stateless. */
final class ShardTransaction {
  private static final Logger LOG = LoggerFactory.getLogger(ShardTransaction.class);

  private ShardTransaction() {}

  /**
   * @throws CommitUnknownException if only the server knows whether a write was committed; after
   *     any other exception it was not
   */
  static <T> T run(
      ShardPools pools, ShardId shard, boolean readOnly, TransactionFunction<T> function)
      throws SQLException {
    Connection connection = pools.connect(shard);
    try {
      T result;
      try {
        connection.setReadOnly(readOnly);
        result = function.run(connection);
        refuseFailed(connection, shard);
      } catch (SQLException | RuntimeException | Error e) {
        rollback(connection);
        throw e;
      }
      commit(connection, shard, readOnly);
      return result;
    } finally {
      giveBack(connection);
    }
  }

  /**
   * PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and pgjdbc does not tell: a
   * function that swallowed an exception would be told that it is committed.
   */
  private static void refuseFailed(Connection connection, ShardId shard) throws SQLException {
    if (connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.FAILED) {
      throw new SQLException(
          """
          Shard %s: a statement failed and the function went on, so the transaction was rolled \
          back. Let the statement's exception pass, or go back to a savepoint."""
              .formatted(shard),
          "25P02");
    }
  }

  private static void commit(Connection connection, ShardId shard, boolean readOnly)
      throws SQLException {
    try {
      connection.commit();
    } catch (SQLException e) {
      if (readOnly || isRolledBack(connection, e)) {
        rollback(connection);
        throw e;
      }
      throw new CommitUnknownException(shard, e);
    } catch (RuntimeException e) {
      throw new CommitUnknownException(shard, e);
    }
  }

  /**
   * Whether the server said that it rolled back: an ERROR, after which the session goes on. A FATAL
   * one (57P01 and its kind) may also come after the commit, while a synchronous standby is waited
   * for.
   */
  private static boolean isRolledBack(Connection connection, SQLException e) throws SQLException {
    String state = e.getSQLState();
    return state != null
        && !state.startsWith("08")
        && !state.startsWith("57P")
        && !state.equals("40003")
        && !connection.isClosed();
  }

  private static void rollback(Connection connection) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      // the session is broken: its server rolls back by itself, and the pool throws it away
      LOG.debug("cannot roll back", e);
    }
  }

  /** Must not hide that a commit succeeded, so it never throws. */
  private static void giveBack(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      LOG.debug("cannot give a connection back to its pool", e);
    }
  }
}
