package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Says which key two rows share, without saying its value. Stateless. */
final class UniqueConflict {
  private static final String UNIQUE_VIOLATION = "23505";

  private UniqueConflict() {}

  /**
   * What to throw for a failure of a load.
   *
   * @param connection to the destination, its failed transaction rolled back
   * @return the failure itself if it is no such conflict
   * @throws CopyException if it is one
   */
  static SQLException explain(
      SQLException failure, Connection connection, ShardId destination, Table table)
      throws SQLException {
    if (!UNIQUE_VIOLATION.equals(failure.getSQLState())
        || !(failure instanceof PSQLException known)
        || known.getServerErrorMessage() == null) {
      return failure;
    }
    ServerErrorMessage message = known.getServerErrorMessage();
    throw new CopyException(
        CopyException.Reason.UNIQUE_CONFLICT,
        ("Destination %s: a row of %s that is to be loaded has the same (%s) as a row that is there,"
                + " under unique constraint %s. Both rows exist, on different shards, and one"
                + " shard cannot hold both. The copy has stopped; what was loaded stays unused."
                + " Change one of the rows or drop the constraint at the destination, then run"
                + " again.")
            .formatted(
                destination,
                table.id(),
                columns(connection, message.getSchema(), message.getConstraint()),
                message.getConstraint()),
        failure);
  }

  private static String columns(Connection connection, String schema, String index)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k)
              FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace,
                   generate_series(1, i.indnkeyatts) k
             WHERE n.nspname = ? AND c.relname = ?""")) {
      statement.setString(1, schema);
      statement.setString(2, index);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }
}
