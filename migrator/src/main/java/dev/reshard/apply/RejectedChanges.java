package dev.reshard.apply;

import dev.reshard.apply.BatchPlan.Violation;
import dev.reshard.change.ChangedTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** Keeps the keys of changes that a lane refused, for the operator. Stateless. */
final class RejectedChanges {
  private RejectedChanges() {}

  /** A change that is there already, from before a restart, stays as it is. */
  static void store(Connection connection, LaneConfig lane, List<Violation> violations)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO reshard.rejected (migration, source, commit_end, place, table_name, kind,
                   old_bucket, new_bucket, key_columns, key)
            VALUES (?, ?, ?::pg_lsn, ?, ?, ?, nullif(?, -1), nullif(?, -1), ?, ?)
            ON CONFLICT DO NOTHING""")) {
      for (Violation violation : violations) {
        ChangedTable table = violation.change().table();
        boolean named = violation.change().key() != null && !table.isKeyless();
        statement.setString(1, lane.migration());
        statement.setString(2, lane.source().name());
        statement.setString(3, violation.end().toString());
        statement.setInt(4, violation.place());
        statement.setString(5, table.id().toString());
        statement.setString(6, violation.change().kind().name());
        statement.setInt(7, violation.change().oldBucket());
        statement.setInt(8, violation.change().newBucket());
        statement.setArray(
            9,
            connection.createArrayOf(
                "text",
                named ? table.key().stream().map(table.columns()::get).toArray() : new Object[0]));
        statement.setArray(
            10, connection.createArrayOf("text", named ? violation.change().key() : new Object[0]));
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }
}
