package dev.reshard.guard;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A table and its partitions, as DDL names them. Immutable.
 *
 * @param root of the tree; a plain table is root and only leaf
 * @param relations all, quoted, parents before children, so that locks are taken in one order
 * @param rootAndLeaves those that a TRUNCATE can name and that have rows, and the root
 */
record Tree(TableId root, List<String> relations, List<String> rootAndLeaves) {
  private static final String QUERY =
      """
      SELECT n.nspname, c.relname, c.relkind = 'p' AND t.level > 0 AS between
        FROM (SELECT relid::oid, level FROM pg_partition_tree(?::oid::regclass)
              UNION SELECT ?::oid, 0) t
        JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
       ORDER BY t.level, c.oid""";

  /** Empty if there is no such table any more. */
  static Optional<Tree> of(Connection connection, long oid) throws SQLException {
    TableId root = null;
    List<String> relations = new ArrayList<>();
    List<String> rootAndLeaves = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(QUERY)) {
      statement.setLong(1, oid);
      statement.setLong(2, oid);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          TableId id = new TableId(row.getString(1), row.getString(2));
          root = root == null ? id : root;
          relations.add(id.quoted());
          if (!row.getBoolean(3)) {
            rootAndLeaves.add(id.quoted());
          }
        }
      }
    }
    return root == null
        ? Optional.empty()
        : Optional.of(new Tree(root, List.copyOf(relations), List.copyOf(rootAndLeaves)));
  }
}
