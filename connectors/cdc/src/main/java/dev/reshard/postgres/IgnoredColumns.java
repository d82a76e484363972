package dev.reshard.postgres;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The columns that the migration file has left out, as a session knows them: its queries of the
 * catalog ask it, so that nobody who reads a table there can forget to. Immutable.
 */
public final class IgnoredColumns {
  /**
   * The test of one column, for a query that goes through {@code JDBC}: whether {@code a}, a row of
   * {@code pg_attribute}, is left out of its table, or of the table it is a partition of. False in
   * a session that leaves nothing out.
   */
  public static final String TEST =
      """
      CASE WHEN coalesce(current_setting('reshard.ignored_columns', true), '') = '' THEN false
           ELSE coalesce((SELECT current_setting('reshard.ignored_columns')::jsonb
                                   -> ignored_n.nspname::text -> ignored_r.relname::text ?? a.attname::text
              FROM pg_class ignored_r JOIN pg_namespace ignored_n ON ignored_n.oid = ignored_r.relnamespace
             WHERE ignored_r.oid = coalesce(pg_partition_root(a.attrelid), a.attrelid)), false) END""";

  private static final String SET = "SELECT set_config('reshard.ignored_columns', ?, false)";

  /** Names of columns, by the tables' names, by their schemas: a name may hold any character. */
  private final String json;

  /**
   * @param ignored names of columns, by their tables
   */
  IgnoredColumns(Map<TableId, Set<String>> ignored) {
    Map<String, Map<String, Set<String>>> bySchema = new TreeMap<>();
    ignored.forEach(
        (table, columns) ->
            bySchema
                .computeIfAbsent(table.schema(), schema -> new TreeMap<>())
                .put(table.name(), new TreeSet<>(columns)));
    try {
      this.json = bySchema.isEmpty() ? "" : new ObjectMapper().writeValueAsString(bySchema);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("names are always JSON", e);
    }
  }

  /** Lets a session know them, for as long as it lives. */
  void tell(Connection connection) throws SQLException {
    if (json.isEmpty()) {
      return;
    }
    try (PreparedStatement set = connection.prepareStatement(SET)) {
      set.setString(1, json);
      set.execute();
    }
  }
}
