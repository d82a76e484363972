package dev.reshard.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * A transaction of ours that writes user tables; there is no other way to open one. It begins,
 * before any savepoint, with the marker message, so that no capture takes its changes for an
 * application's and nothing replicates in a circle (HAZARDS F15); it passes our guards, and fires
 * no trigger and no foreign key of the application. Confined to one thread.
 *
 * <p>A retry after an error is a new one.
 */
public final class OwnTransaction implements AutoCloseable {

  /** Whether the commit waits until it cannot be lost. */
  public enum Durability {
    /** The commit is flushed, and everything committed before it on that server too. */
    SYNCHRONOUS("on"),
    /** A crash may undo it: only where its position is lost together with its data. */
    ASYNCHRONOUS("off");

    private final String setting;

    Durability(String setting) {
      this.setting = setting;
    }
  }

  private final Connection connection;
  private boolean open = true;

  private OwnTransaction(Connection connection) {
    this.connection = connection;
  }

  /**
   * @param connection a session of {@link ShardSessions#open}, in autocommit
   * @throws SQLException with SQLSTATE {@code RS002} if another worker holds the lease by now
   */
  public static OwnTransaction begin(
      Connection connection, WorkerIdentity worker, Durability durability) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          SELECT pg_logical_emit_message(true, '%s', '');
          SELECT reshard.check_lease('%s', %d);
          SET LOCAL session_replication_role = replica;
          SET LOCAL reshard.bypass = '%s';
          SET LOCAL synchronous_commit = %s;
          SET CONSTRAINTS ALL DEFERRED"""
              .formatted(
                  worker.marker().prefix(),
                  worker.migration(),
                  worker.lease(),
                  worker.marker().secret(),
                  durability.setting));
      return new OwnTransaction(connection);
    } catch (SQLException | RuntimeException e) {
      abandon(connection);
      throw e;
    }
  }

  /** Makes a transaction that began asynchronous wait for its flush after all (HAZARDS F22). */
  public void makeSynchronous() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET LOCAL synchronous_commit = on");
    }
  }

  /** Commits and gives the connection back in autocommit. */
  public void commit() throws SQLException {
    connection.commit();
    open = false;
    connection.setAutoCommit(true);
  }

  /** Rolls back what was not committed, and gives the connection back in autocommit. */
  @Override
  public void close() {
    if (open) {
      open = false;
      abandon(connection);
    }
  }

  /** A connection that cannot even roll back is broken; its server rolls back by itself. */
  private static void abandon(Connection connection) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      try {
        connection.abort(Runnable::run);
      } catch (SQLException ignored) {
        // nothing is left to give back
      }
    }
  }
}
