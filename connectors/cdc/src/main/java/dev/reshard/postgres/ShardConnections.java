package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;

/**
 * One session on each of several shards, opened when it is first asked for, and again once it
 * broke. Confined to one thread.
 */
public final class ShardConnections implements AutoCloseable {
  private final ShardSessions sessions;
  private final String part;
  private final Map<ShardId, Connection> open = new TreeMap<>();

  /**
   * Opens nothing.
   *
   * @param part which part of the program they serve, for {@code application_name}
   */
  public ShardConnections(ShardSessions sessions, String part) {
    this.sessions = sessions;
    this.part = part;
  }

  /** The session on a shard, in autocommit when it is new; not to be closed. */
  public Connection on(ShardId shard) throws SQLException {
    Connection connection = open.get(shard);
    if (connection == null || connection.isClosed()) {
      connection = sessions.open(shard, part);
      open.put(shard, connection);
    }
    return connection;
  }

  @Override
  public void close() throws SQLException {
    for (Connection connection : open.values()) {
      connection.close();
    }
  }
}
