package dev.reshard.control;

import dev.reshard.postgres.SqlState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * One session on the control database, opened when first needed and again after it broke.
 * Thread-safe: one statement or transaction at a time.
 */
final class Database implements AutoCloseable {

  /** Opens a session with the program's settings. */
  @FunctionalInterface
  interface Opener {
    Connection open() throws SQLException;
  }

  /** Reads one row. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** What runs in one transaction. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws SQLException;
  }

  /** A worker that freezes between two statements must not keep its successor from the rows. */
  private static final int IDLE_SECONDS = 2;

  private final Opener opener;
  private Connection connection;

  Database(Opener opener) {
    this.opener = opener;
  }

  synchronized int update(String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = prepare(sql, values)) {
      return statement.executeUpdate();
    } catch (SQLException e) {
      throw dropped(e);
    }
  }

  synchronized <T> List<T> query(String sql, Row<T> reader, Object... values) throws SQLException {
    try (PreparedStatement statement = prepare(sql, values);
        ResultSet rows = statement.executeQuery()) {
      List<T> result = new ArrayList<>();
      while (rows.next()) {
        result.add(reader.read(rows));
      }
      return result;
    } catch (SQLException e) {
      throw dropped(e);
    }
  }

  synchronized <T> T transaction(Work<T> work) throws SQLException {
    Connection session = session();
    session.setAutoCommit(false);
    try {
      T result = work.run();
      session.commit();
      session.setAutoCommit(true);
      return result;
    } catch (SQLException | RuntimeException e) {
      abandon(session, e);
      throw e;
    }
  }

  /** A session that cannot even roll back is forgotten: its server rolls back by itself. */
  private void abandon(Connection session, Exception cause) throws SQLException {
    try {
      session.rollback();
      session.setAutoCommit(true);
    } catch (SQLException e) {
      cause.addSuppressed(e);
      close();
    }
  }

  synchronized Connection session() throws SQLException {
    if (connection == null || connection.isClosed()) {
      connection = opener.open();
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            "SET idle_in_transaction_session_timeout = '%ds'".formatted(IDLE_SECONDS));
      }
    }
    return connection;
  }

  private PreparedStatement prepare(String sql, Object... values) throws SQLException {
    PreparedStatement statement = session().prepareStatement(sql);
    for (int i = 0; i < values.length; i++) {
      statement.setObject(i + 1, values[i]);
    }
    return statement;
  }

  /** Forgets a session that broke, so that the next statement opens another one. */
  private SQLException dropped(SQLException e) throws SQLException {
    if (SqlState.isBroken(e)) {
      close();
    }
    return e;
  }

  @Override
  public synchronized void close() throws SQLException {
    Connection session = connection;
    connection = null;
    if (session != null) {
      session.close();
    }
  }
}
