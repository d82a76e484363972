package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.stream.Collectors;

/** Makes and drops publications. Stateless. */
public final class Publications {
  private Publications() {}

  /**
   * Publishes tables, a partitioned one under its root's name. Must be committed before the slot is
   * made (HAZARDS F35), and only tables with a usable identity may be in it (F2).
   */
  public static void create(Connection connection, String name, Collection<TableId> tables)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = true)"
              .formatted(
                  TableId.quote(name),
                  tables.stream().map(TableId::quoted).collect(Collectors.joining(", "))));
    }
  }

  public static void drop(Connection connection, String name) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("DROP PUBLICATION IF EXISTS " + TableId.quote(name));
    }
  }
}
