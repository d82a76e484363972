package dev.reshard.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the bodies of functions name. The catalog does not know what a body in plpgsql calls, so
 * every word of it that is the name of a function, sequence, type or view is taken for that: rather
 * one too many. Stateless.
 */
final class Mentions {
  private static final Pattern NAME =
      Pattern.compile("\"((?:[^\"]|\"\")+)\"|[\\p{L}_][\\p{L}\\p{N}_$]*");

  private Mentions() {}

  /**
   * Adds to a scope what its functions name, and what that needs and names.
   *
   * @return by function, the tables that it names and that are not recreated
   */
  static Map<String, Set<String>> follow(Connection connection, Graph graph, Scope scope)
      throws SQLException {
    Map<String, Set<String>> words = new HashMap<>();
    Map<String, Set<String>> tables = new HashMap<>();
    List<String> unread = functions(scope);
    while (!unread.isEmpty()) {
      words.putAll(read(connection, unread));
      for (String function : unread) {
        Set<String> said = words.getOrDefault(function, Set.of());
        for (Graph.Node node : graph.nodes()) {
          if (!names(said, node, scope)) {
            continue;
          }
          if (!node.type().equals("table")) {
            scope.addNamed(node);
          } else if (!scope.contains(node.ref())) {
            tables.computeIfAbsent(function, ref -> new TreeSet<>()).add(node.name());
          }
        }
      }
      unread = functions(scope);
      unread.removeAll(words.keySet());
    }
    return tables;
  }

  private static boolean names(Set<String> said, Graph.Node node, Scope scope) {
    return said.contains(node.word())
        && (scope.isNear(node) || said.contains(node.schema()))
        && switch (node.type()) {
          case "table", "view", "materialized view", "sequence", "type", "function" -> true;
          default -> false;
        };
  }

  private static List<String> functions(Scope scope) {
    return scope.nodes().stream()
        .filter(node -> node.type().equals("function"))
        .map(Graph.Node::ref)
        .collect(Collectors.toCollection(ArrayList::new));
  }

  private static Map<String, Set<String>> read(Connection connection, List<String> functions)
      throws SQLException {
    Map<String, Set<String>> words = new HashMap<>();
    functions.forEach(function -> words.put(function, Set.of()));
    CatalogQuery.of("bodies.sql")
        .read(connection, row -> words.put(row.getString(1), words(row.getString(2))), functions);
    return words;
  }

  static Set<String> words(String body) {
    Set<String> words = new HashSet<>();
    Matcher name = NAME.matcher(body);
    while (name.find()) {
      words.add(
          name.group(1) == null
              ? name.group().toLowerCase(Locale.ROOT)
              : name.group(1).replace("\"\"", "\""));
    }
    return words;
  }
}
