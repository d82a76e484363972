package dev.reshard.schema;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What stands on what in a database, as its catalog has it ({@code pg_depend}). A thing is named by
 * its catalog and number: {@code pg_class:16402}. Confined to one thread.
 */
final class Graph {

  /**
   * Something that stands for itself in a user's schema.
   *
   * @param type {@code table}, {@code view}, {@code materialized view}, {@code sequence}, {@code
   *     type}, {@code function}; or what is not recreated: {@code foreign table}, {@code base
   *     type}, {@code aggregate}
   * @param name with its schema, as SQL needs it
   * @param word its name alone, as it is
   * @param owner a partition's parent, or the table of a serial or identity column; may be null
   */
  record Node(
      String ref,
      String type,
      String schema,
      long schemaOid,
      String name,
      String word,
      String owner) {}

  private final Map<String, Node> nodes = new HashMap<>();
  private final Map<String, String> wholes = new HashMap<>();
  private final Map<String, List<String>> parts = new HashMap<>();
  private final Map<String, List<String>> needs = new HashMap<>();
  private final Map<String, String> extensions = new HashMap<>();
  private final Map<String, List<Node>> partitions = new HashMap<>();

  static Graph read(Connection connection) throws SQLException {
    Graph graph = new Graph();
    CatalogQuery.of("graph_parts.sql")
        .read(connection, row -> graph.wholes.put(row.getString(1), row.getString(2)));
    graph.wholes.keySet().forEach(graph::addPart);
    CatalogQuery.of("graph_edges.sql")
        .read(
            connection,
            row -> graph.addEdge(row.getString(1), row.getString(2), row.getBoolean(3)));
    CatalogQuery.of("graph_nodes.sql")
        .read(
            connection,
            row ->
                graph.addNode(
                    new Node(
                        row.getString("ref"),
                        row.getString("type"),
                        row.getString("schema"),
                        row.getLong("schema_oid"),
                        row.getString("name"),
                        row.getString("word"),
                        row.getString("owner"))));
    return graph;
  }

  private void addPart(String part) {
    parts.computeIfAbsent(whole(part), ref -> new ArrayList<>()).add(part);
  }

  private void addEdge(String dependent, String needed, boolean member) {
    if (member) {
      extensions.put(dependent, needed);
    } else {
      needs.computeIfAbsent(dependent, ref -> new ArrayList<>()).add(needed);
    }
  }

  /** What is part of something else (an identity's sequence, a range's constructor) is no node. */
  private void addNode(Node node) {
    if (!wholes.containsKey(node.ref()) && !extensions.containsKey(node.ref())) {
      nodes.put(node.ref(), node);
      if (node.type().endsWith("table") && node.owner() != null) {
        partitions.computeIfAbsent(node.owner(), ref -> new ArrayList<>()).add(node);
      }
    }
  }

  /** What something is part of, to the end; itself if of nothing. */
  String whole(String ref) {
    String whole = ref;
    while (wholes.containsKey(whole)) {
      whole = wholes.get(whole);
    }
    return whole;
  }

  /** Itself and all that is part of it. */
  List<String> withParts(String ref) {
    List<String> all = new ArrayList<>(parts.getOrDefault(ref, List.of()));
    all.add(ref);
    return all;
  }

  /** What one part needs by itself; nothing that comes with the server. */
  List<String> needs(String part) {
    return needs.getOrDefault(part, List.of());
  }

  /** The extension that something belongs to. */
  Optional<String> extension(String ref) {
    return Optional.ofNullable(extensions.get(ref))
        .or(() -> Optional.ofNullable(extensions.get(whole(ref))));
  }

  /** Empty for what does not stand for itself in a user's schema. */
  Optional<Node> node(String ref) {
    return Optional.ofNullable(nodes.get(ref));
  }

  Iterable<Node> nodes() {
    return nodes.values();
  }

  /** A table's partitions, one level. */
  List<Node> partitions(String table) {
    return partitions.getOrDefault(table, List.of());
  }
}
