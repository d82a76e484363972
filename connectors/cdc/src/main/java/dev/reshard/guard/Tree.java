package dev.reshard.guard;

import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
      SELECT w.oid, n.nspname, c.relname, c.relkind = 'p' AND t.level > 0
        FROM unnest(?) w (oid)
        CROSS JOIN LATERAL (SELECT relid::oid, level FROM pg_partition_tree(w.oid::regclass)
                            UNION SELECT w.oid, 0) t
        JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
       ORDER BY w.oid, t.level, c.oid""";

  private Tree(List<TableId> relations, List<TableId> rootAndLeaves) {
    this(
        relations.get(0),
        relations.stream().map(TableId::quoted).toList(),
        rootAndLeaves.stream().map(TableId::quoted).toList());
  }

  /** Empty if there is no such table any more. */
  static Optional<Tree> of(Connection connection, long oid) throws SQLException {
    return Optional.ofNullable(all(connection, List.of(oid)).get(oid));
  }

  /** By OID; tables that are gone are left out. */
  static Map<Long, Tree> all(Connection connection, Collection<Long> oids) throws SQLException {
    Map<Long, List<TableId>> relations = new LinkedHashMap<>();
    Map<Long, List<TableId>> rootAndLeaves = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(QUERY)) {
      statement.setArray(1, connection.createArrayOf("oid", oids.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          long root = row.getLong(1);
          TableId id = new TableId(row.getString(2), row.getString(3));
          relations.computeIfAbsent(root, r -> new ArrayList<>()).add(id);
          if (!row.getBoolean(4)) {
            rootAndLeaves.computeIfAbsent(root, r -> new ArrayList<>()).add(id);
          }
        }
      }
    }
    Map<Long, Tree> trees = new LinkedHashMap<>();
    relations.forEach((root, all) -> trees.put(root, new Tree(all, rootAndLeaves.get(root))));
    return trees;
  }
}
