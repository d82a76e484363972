package dev.reshard.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.sql.SQLException;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What each shard's tables looked like when somebody last said that their rows are right: before
 * the copy, or at a {@code resume}. Kept, so that a change is found that was made while no worker
 * lived. Thread-safe.
 */
public final class TableShapes {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<TreeMap<String, String>> PARTS = new TypeReference<>() {};

  private final String migration;
  private final Database database;

  TableShapes(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /**
   * Stores a shard's tables; those that are not named stay as they are.
   *
   * @param shapes what each is made of: a part's name, and what it is
   */
  public void save(ShardId shard, Map<TableId, SortedMap<String, String>> shapes)
      throws SQLException {
    for (Map.Entry<TableId, SortedMap<String, String>> table : shapes.entrySet()) {
      database.update(
          """
          INSERT INTO reshard.table_shape VALUES (?, ?, ?, ?, ?::jsonb)
          ON CONFLICT (migration, shard, table_schema, table_name) DO UPDATE SET shape = excluded.shape""",
          migration,
          shard.name(),
          table.getKey().schema(),
          table.getKey().name(),
          json(table.getValue()));
    }
  }

  /** Of one shard; a table of which nothing is stored is not in it. */
  public Map<TableId, SortedMap<String, String>> read(ShardId shard) throws SQLException {
    Map<TableId, SortedMap<String, String>> shapes = new TreeMap<>();
    database.query(
        "SELECT table_schema, table_name, shape FROM reshard.table_shape WHERE migration = ? AND shard = ?",
        row -> shapes.put(new TableId(row.getString(1), row.getString(2)), parts(row.getString(3))),
        migration,
        shard.name());
    return shapes;
  }

  private static String json(Map<String, String> parts) {
    try {
      return JSON.writeValueAsString(parts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("text is always JSON", e);
    }
  }

  private static SortedMap<String, String> parts(String json) {
    try {
      return JSON.readValue(json, PARTS);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("reshard.table_shape holds something else", e);
    }
  }
}
