package dev.reshard.throttle;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;

/**
 * Asks a source how it is. Its session is opened when first needed, and again after it broke.
 * Confined to one thread.
 */
final class SourceProbe implements AutoCloseable {
  /** Nobody reads it: capture drops a transaction that holds only messages it does not know. */
  private static final String MESSAGE = "reshard.probe";

  /** An answer that takes longer is none. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final ShardSessions sessions;
  private final ShardId source;
  private Connection session;

  SourceProbe(ShardSessions sessions, ShardId source) {
    this.sessions = sessions;
    this.source = source;
  }

  /**
   * How long a commit of a few bytes takes, with its way there and back: what an application's own
   * small write feels of a busy disk or processor.
   */
  Duration commit() throws SQLException {
    Connection open = session();
    try (Statement statement = open.createStatement()) {
      long start = System.nanoTime();
      statement.execute("SELECT pg_logical_emit_message(true, '%s', '')".formatted(MESSAGE));
      return Duration.ofNanos(System.nanoTime() - start);
    } catch (SQLException e) {
      close();
      throw e;
    }
  }

  /**
   * Asks a question that changes nothing.
   *
   * @return the first column of the first row: a number, or one above all numbers for true, below
   *     all for false and NULL
   */
  double ask(String sql) throws SQLException {
    Connection open = session();
    try (Statement statement = open.createStatement()) {
      statement.execute(
          "BEGIN READ ONLY; SET LOCAL statement_timeout = %d".formatted(PATIENCE.toMillis()));
      try (ResultSet row = statement.executeQuery(sql)) {
        if (!row.next()) {
          throw new SQLException("it gives no row");
        }
        if (row.getMetaData().getColumnType(1) == Types.BIT) {
          return row.getBoolean(1) ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
        }
        double number = row.getDouble(1);
        return row.wasNull() ? Double.NEGATIVE_INFINITY : number;
      } finally {
        statement.execute("ROLLBACK");
      }
    } catch (SQLException e) {
      close();
      throw e;
    }
  }

  private Connection session() throws SQLException {
    if (session == null) {
      session = sessions.open(source, "throttle");
      try (Statement statement = session.createStatement()) {
        // a standby that lags would otherwise look like a source that is busy
        statement.execute("SET synchronous_commit = local");
      }
    }
    return session;
  }

  /** Idempotent. */
  @Override
  public void close() {
    Connection open = session;
    session = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        // its server ends it by itself
      }
    }
  }
}
