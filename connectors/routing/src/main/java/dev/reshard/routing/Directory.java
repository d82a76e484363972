package dev.reshard.routing;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The user's lookup table as it is now. Immutable.
 *
 * @param buckets has the keys
 * @param owners who has which of them
 */
public record Directory(DirectoryBuckets buckets, Map<ShardId, BucketSet> owners) {

  /**
   * Reads it, in a transaction that can change nothing.
   *
   * @param connection in autocommit
   * @param shards all that there are
   * @throws IllegalArgumentException saying what is wrong: the query, a key that stands there
   *     twice, a shard that is none
   */
  public static Directory read(Connection connection, DirectoryBuckets unread, Set<ShardId> shards)
      throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET TRANSACTION READ ONLY");
      return rows(statement, unread, shards);
    } catch (SQLException e) {
      if (e.getSQLState() == null || e.getSQLState().startsWith("08")) {
        throw e;
      }
      throw new IllegalArgumentException(
          "the query must give a key and its shard, and nothing else: " + e.getMessage(), e);
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  private static Directory rows(Statement statement, DirectoryBuckets unread, Set<ShardId> shards)
      throws SQLException {
    List<String> keys = new ArrayList<>();
    Map<ShardId, List<Integer>> owned = new TreeMap<>();
    // one more than may be, to see that there are too many
    try (ResultSet row =
        statement.executeQuery(
            """
            SELECT key::text, shard::text FROM (%s) AS directory(key, shard)
             ORDER BY key::text COLLATE "C" LIMIT %d"""
                .formatted(unread.query(), HashBuckets.MAX_COUNT + 1))) {
      while (row.next()) {
        String key = row.getString(1);
        ShardId shard = shard(row.getString(2), shards);
        if (key == null) {
          throw new IllegalArgumentException("a key is NULL");
        }
        owned.computeIfAbsent(shard, s -> new ArrayList<>()).add(keys.size());
        keys.add(key);
      }
    }
    Map<ShardId, BucketSet> owners = new TreeMap<>();
    owned.forEach(
        (shard, buckets) ->
            owners.put(shard, BucketSet.of(buckets.stream().mapToInt(Integer::intValue))));
    return new Directory(unread.withKeys(keys), owners);
  }

  private static ShardId shard(String name, Set<ShardId> shards) {
    return shards.stream()
        .filter(shard -> shard.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "it names shard '%s', and under shards there are %s".formatted(name, shards)));
  }
}
