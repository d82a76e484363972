package dev.reshard.probe;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A session that only reads and never waits long. Confined to one thread, save {@link #abort}.
 * Statements stay prepared, so that a read costs one round trip.
 */
final class ProbeSession implements AutoCloseable {

  /** Reads the one row of a result. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  ProbeSession(ShardSessions sessions, ShardId shard) throws SQLException {
    connection = sessions.open(shard, "dual reads");
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "SET default_transaction_read_only = on; SET statement_timeout = '10s';"
              + "SET lock_timeout = '1s'");
    }
  }

  Connection connection() {
    return connection;
  }

  /** The first row's answer; null if there is none. Text goes in without a type. */
  <T> T first(String sql, Row<T> reader, List<String> values) throws SQLException {
    PreparedStatement statement = prepared.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      prepared.put(sql, statement);
    }
    for (int i = 0; i < values.size(); i++) {
      statement.setObject(i + 1, values.get(i), Types.OTHER);
    }
    try (ResultSet row = statement.executeQuery()) {
      return row.next() ? reader.read(row) : null;
    }
  }

  /** Ends a statement that does not come back. Any thread. */
  void abort() throws SQLException {
    connection.abort(Runnable::run);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
