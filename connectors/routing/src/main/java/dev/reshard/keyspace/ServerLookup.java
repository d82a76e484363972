package dev.reshard.keyspace;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;

/**
 * Asks one of several servers that give the same answer, over one connection that it opens when it
 * is first asked. If that server does not answer, or cannot, it asks the next. Thread-safe: one
 * thread asks at a time.
 */
public final class ServerLookup implements KeyLookup, AutoCloseable {
  /** A server that hangs must not keep those waiting who have another one to ask. */
  private static final int ANSWER_WITHIN_MS = 10_000;

  private final List<Server> servers;

  // guarded by this
  private int current;
  private Connection connection;
  private boolean closed;

  /** How to reach a server. */
  @FunctionalInterface
  public interface Server {
    /** A new connection in autocommit. */
    Connection open() throws SQLException;
  }

  /** Connects to nobody yet. */
  public ServerLookup(List<Server> servers) {
    this.servers = List.copyOf(servers);
    if (servers.isEmpty()) {
      throw new IllegalArgumentException("a lookup needs a server to ask");
    }
  }

  @Override
  public synchronized Integer ask(String query, String key) throws SQLException {
    SQLException failure = null;
    // once more than there are servers: a connection that was kept may be dead, its server not
    for (int tries = 0; tries <= servers.size(); tries++) {
      if (closed) {
        throw new SQLException("the lookup is closed", "08003");
      }
      boolean isKept = connection != null;
      try {
        if (!isKept) {
          connection = servers.get(current).open();
          connection.setNetworkTimeout(Runnable::run, ANSWER_WITHIN_MS);
        }
        return answer(query, key);
      } catch (SQLException e) {
        if (isAboutTheKey(e)) {
          throw e;
        }
        if (failure != null) {
          e.addSuppressed(failure);
        }
        failure = e;
        disconnect();
        current = isKept ? current : (current + 1) % servers.size();
      }
    }
    throw failure;
  }

  /** Whether a failure would be the same on every server: the key is none, or was refused. */
  static boolean isAboutTheKey(SQLException e) {
    String state = e.getSQLState();
    // data exceptions, constraints of a domain, RAISE
    return state != null
        && (state.startsWith("22") || state.startsWith("23") || state.startsWith("P0"));
  }

  private Integer answer(String query, String key) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setObject(1, key, Types.OTHER);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        int bucket = row.getInt(1);
        return row.wasNull() ? null : bucket;
      }
    }
  }

  private void disconnect() {
    if (connection != null) {
      try {
        connection.close();
      } catch (SQLException e) {
        // it is broken already, which is why it is closed
      }
      connection = null;
    }
  }

  /** Idempotent. */
  @Override
  public synchronized void close() {
    closed = true;
    disconnect();
  }
}
