package dev.reshard.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * Runs statements that need a strong lock on a table: everybody queues behind who waits for one, so
 * none waits for long, and each is tried again until it gets its lock. Stateless.
 *
 * <p>A server ends an autovacuum, which may last for hours, only for somebody who has waited for it
 * longer than {@code deadlock_timeout} (1 s; manual, "Automatic Vacuuming"): where writers would
 * queue behind that, it is waited for with a lock that keeps no writer out.
 */
public final class StrongLock {
  /**
   * Below half of PostgreSQL's {@code deadlock_timeout} (1 s), so that a deadlock is never ours.
   */
  private static final String SHORT = "SET lock_timeout = '400ms'";

  /** Above {@code deadlock_timeout}. */
  private static final String LONG = "SET lock_timeout = '3s'";

  private static final String NONE = "SET lock_timeout = 0";

  private static final int TRIES = 150;

  private StrongLock() {}

  /**
   * Runs one statement in one call, never waiting for the lock longer than a moment.
   *
   * @throws SQLException the last refusal, if others hold the table for minutes
   */
  public static void politely(Connection connection, String sql)
      throws SQLException, InterruptedException {
    untilFree(connection, List.of(String.join("; ", SHORT, sql, NONE)));
  }

  /**
   * The same for a table that may have an autovacuum.
   *
   * @param table its quoted name
   */
  public static void politely(Connection connection, String table, String sql)
      throws SQLException, InterruptedException {
    untilFree(connection, List.of(withoutAutovacuum(table, sql)));
  }

  private static String withoutAutovacuum(String table, String sql) {
    String noAutovacuum = "LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE".formatted(table);
    String body = String.join(";\n", "BEGIN " + LONG, noAutovacuum, SHORT, sql, NONE, "END");
    return "DO '%s'".formatted(body.replace("'", "''"));
  }

  /**
   * One try of the same.
   *
   * @throws SQLException 55P03 if others hold the table
   */
  static void once(Connection connection, String table, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(withoutAutovacuum(table, sql));
    }
  }

  /** The same for a table that only we use: nobody queues behind us there. */
  static void firmly(Connection connection, String sql) throws SQLException, InterruptedException {
    untilFree(connection, List.of(String.join("; ", LONG, sql, NONE)));
  }

  /**
   * The same for {@code DROP INDEX CONCURRENTLY}, which goes with no other statement, and whose
   * lock keeps no writer out.
   */
  public static void alone(Connection connection, String sql)
      throws SQLException, InterruptedException {
    untilFree(connection, List.of(LONG, sql, NONE));
  }

  private static void untilFree(Connection connection, List<String> calls)
      throws SQLException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try (Statement statement = connection.createStatement()) {
        for (String call : calls) {
          statement.execute(call);
        }
        return;
      } catch (SQLException e) {
        if (!isInTheWay(e) || attempt == TRIES) {
          throw e;
        }
        Thread.sleep(Math.min(100L * attempt, 2_000)); // others go first
      }
    }
  }

  /** A lock that was not had in time, or a deadlock that the server ended us for. */
  private static boolean isInTheWay(SQLException e) {
    return "55P03".equals(e.getSQLState()) || "40P01".equals(e.getSQLState());
  }
}
