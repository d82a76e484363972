package dev.reshard.guard;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Our triggers on some tables that fire in every role, as they were when they were read: one query
 * for any number of tables. Immutable.
 */
final class InstalledTriggers {
  /** The last argument of each, which is its {@link Trigger#signature}: 36 bytes and a zero. */
  private static final String QUERY =
      """
      SELECT r, t.tgname, encode(substring(t.tgargs FROM length(t.tgargs) - 36 FOR 36), 'escape')
        FROM unnest(?) r JOIN pg_trigger t ON t.tgrelid = r::regclass
       WHERE t.tgenabled = 'A' AND length(t.tgargs) > 36""";

  private final Set<List<String>> found;

  private InstalledTriggers(Set<List<String>> found) {
    this.found = found;
  }

  static InstalledTriggers read(Connection connection, Collection<Tree> trees)
      throws SQLException {
    Object[] relations = trees.stream().flatMap(tree -> tree.relations().stream()).toArray();
    Set<List<String>> found = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(QUERY)) {
      statement.setArray(1, connection.createArrayOf("text", relations));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.add(List.of(row.getString(1), row.getString(2), row.getString(3)));
        }
      }
    }
    return new InstalledTriggers(found);
  }

  /** Whether all relations of the tree that must have the trigger have it. */
  boolean has(Tree tree, Trigger trigger) {
    return trigger.expectedOn(tree).stream()
        .allMatch(
            relation ->
                found.contains(List.of(relation, trigger.name(), trigger.signature())));
  }
}
