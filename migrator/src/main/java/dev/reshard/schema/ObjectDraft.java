package dev.reshard.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** An object while it is put together from several catalogs. Confined to one thread. */
final class ObjectDraft {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Where it stands in the catalog: itself first, then what is made by the same statements. */
  final List<String> refs;

  final ObjectKind kind;
  final String name;
  private final String partOf;
  private final String owner;
  private final Set<String> needs = new TreeSet<>();
  private final SortedMap<String, String> facets;
  private final List<String> statements;
  private final String undo;
  private final String obstacle;
  private final boolean follows;
  private String remark;
  private final List<Rights> rights = new ArrayList<>();

  /** From a row that one of this package's queries of objects made. */
  ObjectDraft(ResultSet row) throws SQLException {
    refs = CatalogQuery.strings(row, "refs");
    kind = ObjectKind.valueOf(row.getString("kind"));
    name = row.getString("name");
    partOf = text(row, "part_of");
    owner = row.getString("owner");
    needs.addAll(CatalogQuery.strings(row, "needs"));
    needs.add(SchemaObject.identity(ObjectKind.ROLE, owner));
    statements = new ArrayList<>(CatalogQuery.strings(row, "statements"));
    facets = facets(row.getString("facets"), statements);
    facets.put("owner", owner);
    follows = row.getBoolean("follows");
    undo =
        row.getString("undo") != null
            ? row.getString("undo")
            : "DROP %s IF EXISTS %s".formatted(kind.word(), name);
    obstacle = text(row, "obstacle");
    remark = text(row, "remark");
    if (!partOf.isEmpty()) {
      needs.add(partOf);
      facets.remove("owner");
    }
  }

  private static String text(ResultSet row, String column) throws SQLException {
    String text = row.getString(column);
    return text == null ? "" : text;
  }

  private static SortedMap<String, String> facets(String json, List<String> statements) {
    SortedMap<String, String> facets = new TreeMap<>();
    if (json == null) {
      facets.put("definition", String.join("; ", statements));
      return facets;
    }
    try {
      JSON.readValue(json, new TypeReference<Map<String, String>>() {})
          .forEach(
              (facet, value) -> {
                if (value != null) {
                  facets.put(facet, value);
                }
              });
      return facets;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a facet is no text", e);
    }
  }

  String identity() {
    return SchemaObject.identity(kind, name);
  }

  void need(String identity) {
    if (!identity.equals(identity())) {
      needs.add(identity);
    }
  }

  void facet(String facet, String value) {
    facets.put(facet, value);
  }

  void statement(String sql) {
    statements.add(sql);
  }

  void rights(Rights more) {
    rights.add(more);
  }

  void remark(String more) {
    remark = remark.isEmpty() ? more : remark + "; " + more;
  }

  SchemaObject build() {
    return new SchemaObject(
        kind,
        name,
        partOf,
        owner,
        needs,
        facets,
        statements,
        rights,
        undo,
        obstacle,
        remark,
        follows);
  }
}
