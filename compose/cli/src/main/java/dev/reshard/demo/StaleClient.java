package dev.reshard.demo;

import dev.reshard.keyspace.Move;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * A client as every estate has one: it ignores the router, and its transaction is older than the
 * fence. Confined to one thread.
 */
final class StaleClient implements AutoCloseable {
  private final Connection connection;
  private final long tenant;

  private StaleClient(Connection connection, long tenant) {
    this.connection = connection;
    this.tenant = tenant;
  }

  /** Takes its snapshot on the source of a move, and picks a tenant whose bucket leaves. */
  static StaleClient begin(SandboxShard source, Move move) throws SQLException {
    Connection connection = source.connect(SandboxRole.APP);
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT min(id) FROM public.tenants WHERE "
                    + DemoOptions.PARTITIONING.sqlIn("id", move.buckets()))) {
      row.next();
      return new StaleClient(connection, row.getLong(1));
    }
  }

  /** What the server says when it writes now; empty if, against all promises, it may. */
  String write() {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "INSERT INTO public.events VALUES (%d, now(), 'stale', 'around the router', '{}')"
              .formatted(tenant));
      connection.commit();
      return "";
    } catch (SQLException e) {
      return "ERROR %s: %s"
          .formatted(
              e.getSQLState(),
              e.getMessage().lines().findFirst().orElse("").replaceFirst("^ERROR: ", ""));
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
