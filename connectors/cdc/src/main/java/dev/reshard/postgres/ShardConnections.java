package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * One session on each of several shards, opened when it is first asked for, and again once it
 * broke. Confined to one thread.
 */
public final class ShardConnections implements AutoCloseable {
  private final ShardSessions sessions;
  private final String part;
  private final int answersWithinMs;
  private final Map<ShardId, Connection> open = new TreeMap<>();

  /**
   * Opens nothing. What tells a dead connection from a slow statement is left to TCP.
   *
   * @param part which part of the program they serve, for {@code application_name}
   */
  public ShardConnections(ShardSessions sessions, String part) {
    this(sessions, part, Duration.ZERO); // no limit
  }

  /**
   * Opens nothing.
   *
   * @param answersWithin a statement that is not answered for longer breaks its session: a network
   *     may swallow packets and tell nobody, and TCP takes a quarter of an hour to find out
   */
  public ShardConnections(ShardSessions sessions, String part, Duration answersWithin) {
    this.sessions = sessions;
    this.part = part;
    this.answersWithinMs = Math.toIntExact(answersWithin.toMillis());
  }

  /** The session on a shard, in autocommit when it is new; not to be closed. */
  public Connection on(ShardId shard) throws SQLException {
    Connection connection = open.get(shard);
    if (connection == null || connection.isClosed()) {
      connection = sessions.openBrief(shard, part);
      connection.setNetworkTimeout(Runnable::run, answersWithinMs);
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
