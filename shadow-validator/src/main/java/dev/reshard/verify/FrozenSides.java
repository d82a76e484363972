package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.Lsn;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A source's snapshot and one of each destination, all of the same position. Whoever has it closes
 * it. Its sessions belong to one thread each.
 *
 * @param held how long lanes stood still for it
 */
record FrozenSides(AnchorHolder source, Map<ShardId, Connection> destinations, Duration held)
    implements AutoCloseable {

  Lsn position() {
    return source.anchor().position();
  }

  @Override
  public void close() throws SQLException {
    try {
      closeAll(List.copyOf(destinations.values()));
    } finally {
      source.close();
    }
  }

  /** Closes all of them, even if one does not close. */
  static void closeAll(List<Connection> connections) throws SQLException {
    SQLException failure = null;
    for (Connection connection : connections) {
      try {
        connection.close();
      } catch (SQLException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
