package dev.reshard.schema;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which objects of a shard belong to a keyspace's schema: its tables with their partitions; the
 * types, sequences and views of their schemas; and what all these need, wherever it is. Functions
 * only if something needs them. Other tables, ignored ones mostly, are left alone. Confined to one
 * thread.
 */
final class Scope {
  private final Graph graph;
  private final Set<TableId> tables;
  private final Set<String> schemas;
  private final Map<String, Graph.Node> nodes = new LinkedHashMap<>();
  private final Set<String> given = new TreeSet<>();
  private final Deque<Graph.Node> open = new ArrayDeque<>();

  private Scope(Graph graph, Keyspace keyspace) {
    this.graph = graph;
    this.tables = tables(keyspace);
    this.schemas = schemas(keyspace);
  }

  /**
   * Finds it.
   *
   * @param also names of objects that belong to it because they do on another shard
   */
  static Scope of(Graph graph, Keyspace keyspace, Collection<String> also) {
    Scope scope = new Scope(graph, keyspace);
    for (Graph.Node node : graph.nodes()) {
      if (scope.begins(node) || (also.contains(node.name()) && scope.canBeMade(node))) {
        scope.add(node);
      }
    }
    scope.close();
    return scope;
  }

  /** The schemas of the keyspace's tables. */
  static Set<String> schemas(Keyspace keyspace) {
    return tables(keyspace).stream().map(TableId::schema).collect(Collectors.toSet());
  }

  private static Set<TableId> tables(Keyspace keyspace) {
    return Stream.concat(
            keyspace.sharded().stream().map(ShardedTable::id), keyspace.reference().stream())
        .collect(Collectors.toSet());
  }

  private boolean begins(Graph.Node node) {
    return switch (node.type()) {
      case "table" -> tables.contains(new TableId(node.schema(), node.word()));
      case "view", "materialized view", "type" -> schemas.contains(node.schema());
      case "sequence" -> schemas.contains(node.schema()) && node.owner() == null;
      default -> false;
    };
  }

  private boolean canBeMade(Graph.Node node) {
    return switch (node.type()) {
      case "table", "view", "materialized view", "sequence", "type", "function" -> true;
      default -> false;
    };
  }

  private void add(Graph.Node node) {
    if (nodes.putIfAbsent(node.ref(), node) == null) {
      open.add(node);
    }
  }

  private void close() {
    while (!open.isEmpty()) {
      Graph.Node node = open.remove();
      graph.partitions(node.ref()).forEach(this::addTable);
      for (String part : graph.withParts(node.ref())) {
        graph.needs(part).forEach(this::need);
      }
    }
  }

  private void need(String ref) {
    String whole = graph.whole(ref);
    if (graph.extension(ref).isPresent()) {
      given.add(graph.extension(ref).get());
    } else if (graph.node(whole).isPresent()) {
      Graph.Node node = graph.node(whole).get();
      if (node.schema().equals("reshard")) {
        return; // our own guard
      }
      if (node.type().equals("table")
          ? !nodes.containsKey(whole) && !begins(node)
          : !canBeMade(node)) {
        given.add(whole);
      } else {
        add(node);
      }
    } else if (!ref.startsWith("pg_namespace:")) {
      given.add(ref);
    }
  }

  private void addTable(Graph.Node partition) {
    if (partition.type().equals("table")) {
      add(partition);
    } else {
      given.add(partition.ref());
    }
  }

  /** Adds what a function's body names, though the catalog does not know that it needs it. */
  void addNamed(Graph.Node node) {
    add(node);
    close();
  }

  boolean contains(String ref) {
    return nodes.containsKey(ref);
  }

  /** All of them. */
  Collection<Graph.Node> nodes() {
    return nodes.values();
  }

  /** What they need that we do not make: extensions, operators, ignored tables .. */
  Set<String> given() {
    return given;
  }

  /** Whether its name alone may mean it in a function's body. */
  boolean isNear(Graph.Node node) {
    return schemas.contains(node.schema());
  }
}
