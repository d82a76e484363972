package dev.reshard.postgres;

import dev.reshard.keyspace.Partitioning;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;

/**
 * Schema {@code reshard} on a shard, to which each package adds its own tables and functions from a
 * SQL file beside its classes. Stateless.
 */
public final class ShardSchema {
  private ShardSchema() {}

  /** Makes the schema and what all packages need of it: the lease that the shard has seen. */
  public static void install(Connection connection) throws SQLException {
    install(connection, ShardSchema.class, "shard.sql");
  }

  /**
   * Makes the functions that a partitioning's SQL calls, if it calls any: to be done before any
   * other part of the program asks the shard for buckets. Repeatable.
   */
  public static void install(Connection connection, Partitioning partitioning) throws SQLException {
    Optional<String> setup = partitioning.sqlSetup();
    if (setup.isPresent()) {
      run(connection, setup.get());
    }
  }

  /**
   * Makes the shard refuse workers with a lower lease from now on.
   *
   * @throws SQLException with SQLSTATE {@code RS002} if it has seen a higher one
   */
  public static void takeLease(Connection connection, WorkerIdentity worker) throws SQLException {
    withLease(connection, "SELECT reshard.take_lease(?, ?)", worker);
  }

  /**
   * Whether the shard still knows the worker as the last one.
   *
   * @throws SQLException with SQLSTATE {@code RS002} if it does not
   */
  static void checkLease(Connection connection, WorkerIdentity worker) throws SQLException {
    withLease(connection, "SELECT reshard.check_lease(?, ?)", worker);
  }

  private static void withLease(Connection connection, String sql, WorkerIdentity worker)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, worker.migration());
      statement.setLong(2, worker.lease());
      statement.execute();
    }
  }

  /**
   * Ends what other workers of the migration still have open on the shard: a frozen one must hold
   * no lock that its successor needs. This worker has none there yet, save those that are named
   * here, which commands have too.
   */
  public static void endOthers(Connection connection, String migration) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE usename = current_user AND datname = current_database()
               AND pid <> pg_backend_pid()
               AND starts_with(application_name, 'reshard ' || ? || ' ')
               AND application_name <> ALL (SELECT left('reshard ' || ? || ' ' || part, 63)
                     FROM unnest('{control,lease,map,check,tables,status,buckets}'::text[]) part)""")) {
      statement.setString(1, migration);
      statement.setString(2, migration);
      statement.execute();
    }
  }

  /**
   * Runs a SQL file, which must be repeatable ({@code IF NOT EXISTS}, {@code OR REPLACE}), in one
   * transaction. Two callers at a time are safe: an advisory lock lets one wait.
   *
   * @param owner the class whose package holds the file
   * @param file the file's name, e.g. {@code guard.sql}
   */
  public static void install(Connection connection, Class<?> owner, String file)
      throws SQLException {
    run(connection, read(owner, file));
  }

  private static void run(Connection connection, String script) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "BEGIN; SELECT pg_advisory_xact_lock(7235414); "
              + "CREATE SCHEMA IF NOT EXISTS reshard; GRANT USAGE ON SCHEMA reshard TO PUBLIC;\n"
              + script
              + "\n;COMMIT");
    } catch (SQLException e) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("ROLLBACK");
      }
      throw e;
    }
  }

  private static String read(Class<?> owner, String file) {
    try (InputStream in = owner.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + file + " beside " + owner.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
