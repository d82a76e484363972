package dev.reshard.finish;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What a migration leaves on a shard, and taking it away. Stateless. */
public final class ShardLeftovers {
  private static final String PER_MIGRATION =
      """
      SELECT table_name FROM information_schema.columns
       WHERE table_schema = 'reshard' AND column_name = 'migration'
         AND table_name IN ('lane', 'rejected', 'copied_chunk', 'copied_table', 'refetch', 'lease', 'guard_journal')""";

  private static final String IN_USE =
      """
      SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                       JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'reshard')
          OR EXISTS (SELECT FROM reshard.lease)""";

  private static final String LEFT =
      """
      SELECT 'replication slot ' || slot_name FROM pg_replication_slots
       WHERE database = current_database() AND slot_name LIKE 'reshard\\_%'
      UNION ALL SELECT 'publication ' || pubname FROM pg_publication WHERE pubname LIKE 'reshard\\_%'
      UNION ALL SELECT 'index ' || relname FROM pg_class
       WHERE relkind IN ('i', 'I') AND relname LIKE 'reshard\\_key\\_%'""";

  private ShardLeftovers() {}

  /**
   * Forgets one migration; drops schema {@code reshard} where neither a guard nor another migration
   * needs it.
   *
   * @param isControl the control database keeps the map, the state and the log
   */
  static void forget(Connection connection, String migration, boolean isControl)
      throws SQLException {
    for (String table : strings(connection, PER_MIGRATION)) {
      try (PreparedStatement statement =
          connection.prepareStatement(
              "DELETE FROM reshard.%s WHERE migration = ?".formatted(table))) {
        statement.setString(1, migration);
        statement.executeUpdate();
      }
    }
    if (!isControl && strings(connection, IN_USE).equals(List.of("f"))) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("DROP SCHEMA reshard CASCADE");
      }
    }
  }

  /** Replication slots, publications and indexes of ours that are on a shard, by name. */
  public static List<String> find(Connection connection) throws SQLException {
    return strings(connection, LEFT);
  }

  private static List<String> strings(Connection connection, String sql) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        found.add(row.getString(1));
      }
    }
    return found;
  }
}
