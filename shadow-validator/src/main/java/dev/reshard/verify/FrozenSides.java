package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.postgresql.PGConnection;

/**
 * A session on the source and one on each destination for each pair of them, all of whose snapshots
 * show the same position. Whoever has it closes it. Immutable.
 *
 * @param sources by destination
 * @param held how long lanes stood still for it
 */
record FrozenSides(
    Lsn position,
    Map<ShardId, Connection> sources,
    Map<ShardId, Connection> destinations,
    Duration held)
    implements AutoCloseable {

  /** Ends what still runs there, too: a server does not notice by itself that nobody waits. */
  @Override
  public void close() throws SQLException {
    try {
      closeAll(sources);
    } finally {
      closeAll(destinations);
    }
  }

  /** Closes all of them, even if one does not close. */
  static void closeAll(Map<ShardId, Connection> connections) throws SQLException {
    SQLException failure = null;
    for (Connection connection : connections.values()) {
      try (connection) {
        connection.unwrap(PGConnection.class).cancelQuery();
      } catch (SQLException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
