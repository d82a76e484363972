package dev.reshard.schema;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Reads a shard's schema from its catalog, in the server's own words ({@code pg_get_*def}), at one
 * moment. The session's search path must be {@code pg_catalog} alone, as all of ours is: else
 * definitions would not name schemas. Confined to the thread of the connection.
 */
final class SchemaReader {
  private final Connection connection;
  private final Graph graph;
  private final Scope scope;
  private final Map<String, ObjectDraft> drafts = new LinkedHashMap<>();
  private final Map<String, ObjectDraft> byRef = new HashMap<>();

  private SchemaReader(Connection connection, Graph graph, Scope scope) {
    this.connection = connection;
    this.graph = graph;
    this.scope = scope;
  }

  /** Reads one that others are compared with. */
  static Schema read(Connection connection, ShardId shard, Keyspace keyspace) throws SQLException {
    return read(connection, shard, keyspace, Set.of(), Set.of());
  }

  /** Reads one to compare it: also what belongs to the keyspace only on the other shard. */
  static Schema readLike(Connection connection, ShardId shard, Keyspace keyspace, Schema other)
      throws SQLException {
    return read(connection, shard, keyspace, other.names(), other.givenIn());
  }

  private static Schema read(
      Connection connection,
      ShardId shard,
      Keyspace keyspace,
      Collection<String> also,
      Collection<String> givenIn)
      throws SQLException {
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    connection.setReadOnly(true);
    connection.setAutoCommit(false);
    try {
      Graph graph = Graph.read(connection);
      Scope scope = Scope.of(graph, keyspace, also);
      Map<String, Set<String>> ignored = Mentions.follow(connection, graph, scope);
      SchemaReader reader = new SchemaReader(connection, graph, scope);
      reader.readObjects(ignored, also);
      return reader.schema(shard, givenIn, Scope.schemas(keyspace));
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
      connection.setReadOnly(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    }
  }

  private void readObjects(Map<String, Set<String>> ignoredTables, Collection<String> also)
      throws SQLException {
    read(
        "schemas.sql", scope.nodes().stream().map(Graph.Node::schemaOid).distinct().toList(), also);
    read("types.sql", oids("pg_type"));
    read("functions.sql", oids("pg_proc"));
    for (String file :
        List.of(
            "sequences.sql",
            "tables.sql",
            "defaults.sql",
            "constraints.sql",
            "indexes.sql",
            "views.sql",
            "parts.sql")) {
      read(file, oids("pg_class"));
    }
    RightsReader.readRights(connection, byRef);
    RightsReader.readComments(connection, byRef);
    ignoredTables.forEach(
        (function, tables) ->
            byRef
                .get(function)
                .remark("it names %s, which we do not make".formatted(String.join(", ", tables))));
  }

  private void read(String file, Collection<?>... lists) throws SQLException {
    CatalogQuery.of(file)
        .read(
            connection,
            row -> {
              ObjectDraft draft = new ObjectDraft(row);
              drafts.put(draft.identity(), draft);
              draft.refs.forEach(ref -> byRef.put(ref, draft));
            },
            lists);
  }

  private List<Long> oids(String catalog) {
    return scope.nodes().stream()
        .map(Graph.Node::ref)
        .filter(ref -> ref.startsWith(catalog + ":"))
        .map(ref -> Long.parseLong(ref.substring(catalog.length() + 1)))
        .toList();
  }

  private Schema schema(ShardId shard, Collection<String> alsoIn, Set<String> schemas)
      throws SQLException {
    Set<String> beside = new TreeSet<>();
    Set<String> leftOut = new TreeSet<>();
    CatalogQuery.of("left_out.sql")
        .read(
            connection,
            row -> {
              beside.add(row.getString("name"));
              if (!byRef.containsKey(row.getString("ref"))) {
                leftOut.add(row.getString("name"));
              }
            },
            schemas);
    Map<String, SchemaObject> known = Given.rolesAndExtensions(connection);
    Set<String> givenIn = new TreeSet<>(Given.catalogs(scope.given()));
    known.putAll(
        Given.others(connection, Stream.concat(givenIn.stream(), alsoIn.stream()).toList()));
    List<SchemaObject> objects = new ArrayList<>(known.values());
    for (ObjectDraft draft : drafts.values()) {
      for (String ref : draft.refs) {
        for (String needed : graph.needs(ref)) {
          identityOf(needed, known).ifPresent(draft::need);
        }
      }
      objects.add(draft.build());
    }
    return Schema.of(shard, objects, givenIn, beside, leftOut);
  }

  /** The object that something in the catalog is, or is part of. */
  private Optional<String> identityOf(String ref, Map<String, SchemaObject> known) {
    String whole = graph.whole(ref);
    Optional<String> extension = graph.extension(ref);
    if (byRef.containsKey(ref)) {
      return Optional.of(byRef.get(ref).identity());
    }
    if (byRef.containsKey(whole)) {
      return Optional.of(byRef.get(whole).identity());
    }
    return Stream.of(extension.orElse(whole), ref)
        .map(known::get)
        .filter(Objects::nonNull)
        .map(SchemaObject::identity)
        .findFirst();
  }
}
