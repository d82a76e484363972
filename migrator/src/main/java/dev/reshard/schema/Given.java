package dev.reshard.schema;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What must be there already, as only an operator makes it. Stateless. */
final class Given {
  private static final String EXTENSIONS =
      """
      SELECT 'pg_extension:' || e.oid, quote_ident(e.extname), quote_ident(n.nspname), e.extversion
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace""";

  private static final String OTHERS =
      """
      SELECT '%1$s:' || o.oid, i.type || ' ' || i.identity
        FROM %1$s o CROSS JOIN LATERAL pg_identify_object('%1$s'::regclass, o.oid, 0) i
       WHERE o.oid >= 16384""";

  private Given() {}

  /** All roles and extensions of a server, by their place in the catalog. */
  static Map<String, SchemaObject> rolesAndExtensions(Connection connection) throws SQLException {
    Map<String, SchemaObject> found = new TreeMap<>();
    read(
        connection,
        EXTENSIONS,
        row -> {
          SortedMap<String, String> facets = new TreeMap<>();
          facets.put("schema", row.getString(3));
          facets.put("version", row.getString(4));
          found.put(
              row.getString(1), SchemaObject.given(ObjectKind.EXTENSION, row.getString(2), facets));
        });
    read(
        connection,
        "SELECT 'pg_authid:' || oid, rolname FROM pg_roles",
        row ->
            found.put(
                row.getString(1),
                SchemaObject.given(ObjectKind.ROLE, row.getString(2), new TreeMap<>())));
    return found;
  }

  /** Those of some catalogs ({@code pg_operator}, ..), by their place in them. */
  static Map<String, SchemaObject> others(Connection connection, Collection<String> catalogs)
      throws SQLException {
    Map<String, SchemaObject> found = new TreeMap<>();
    for (String catalog : catalogs.stream().distinct().toList()) {
      if (!catalog.matches("pg_[a-z_]+")) {
        throw new IllegalArgumentException("no catalog: " + catalog);
      }
      read(
          connection,
          OTHERS.formatted(catalog),
          row ->
              found.put(
                  row.getString(1),
                  SchemaObject.given(ObjectKind.OTHER, row.getString(2), new TreeMap<>())));
    }
    return found;
  }

  /** The catalogs that some places are in. */
  static List<String> catalogs(Collection<String> refs) {
    return refs.stream()
        .map(ref -> ref.substring(0, ref.indexOf(':')))
        .distinct()
        .filter(catalog -> !catalog.equals("pg_extension"))
        .collect(Collectors.toCollection(ArrayList::new));
  }

  private static void read(Connection connection, String sql, CatalogQuery.RowReader reader)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql);
        ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        reader.read(row);
      }
    }
  }
}
