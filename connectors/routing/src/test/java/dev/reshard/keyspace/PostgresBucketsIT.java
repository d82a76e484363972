package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A bucket is the partition into which a server puts the row. */
@Timeout(120)
class PostgresBucketsIT {
  private static final int MANY = 3_000;
  private static final int PARTITIONS = 7;

  private static SandboxShards shards;
  private static SandboxShard shard;

  @BeforeAll
  static void aShard() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
  }

  @AfterAll
  static void drop() throws SQLException {
    shards.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "BIGINT | smallint              |",
        "BIGINT | integer               |",
        "BIGINT | bigint                |",
        "TEXT   | text                  |",
        "TEXT   | text                  | COLLATE \"C\"",
        "TEXT   | text                  | COLLATE \"de-x-icu\"",
        "TEXT   | character varying(60) |",
        "UUID   | uuid                  |"
      })
  void javaNamesThePartitionOfEveryRow(PostgresBuckets.Type type, String column, String collate)
      throws SQLException {
    List<String> keys = new RandomKeys(new Random().nextLong(), MANY).of(column);
    shard.execute(
        "DROP TABLE IF EXISTS part",
        "CREATE TABLE part (k %s %s) PARTITION BY HASH (k)"
            .formatted(column, collate == null ? "" : collate));
    for (int i = 0; i < PARTITIONS; i++) {
      shard.execute(
          "CREATE TABLE part_%1$d PARTITION OF part FOR VALUES WITH (MODULUS %2$d, REMAINDER %1$d)"
              .formatted(i, PARTITIONS));
    }
    try (Connection app = shard.connect(SandboxRole.APP)) {
      insert(app, keys, column);
      PostgresBuckets buckets = new PostgresBuckets(type, PARTITIONS);
      int seen = 0;
      try (PreparedStatement statement =
              app.prepareStatement("SELECT k, tableoid::regclass::text FROM part");
          ResultSet row = statement.executeQuery()) {
        for (; row.next(); seen++) {
          String key = row.getString(1);
          assertEquals("part_" + buckets.bucketOf(key), row.getString(2), key);
        }
      }
      assertEquals(keys.size(), seen);
      for (int count : new int[] {1000, 1024, HashBuckets.MAX_COUNT}) {
        assertEquals(0, elsewhere(app, keys, column, new PostgresBuckets(type, count)));
      }
    }
  }

  private static void insert(Connection connection, List<String> keys, String column)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO part SELECT k::%s FROM unnest(?::text[]) k".formatted(column))) {
      statement.setArray(1, connection.createArrayOf("text", keys.toArray()));
      statement.execute();
    }
  }

  /** Of how many keys the server says that they do not belong into that partition. */
  private static int elsewhere(
      Connection connection, List<String> keys, String column, PostgresBuckets buckets)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT count(*) FILTER (WHERE satisfies_hash_partition('part'::regclass, %d, b, k::%s)
                                      IS NOT TRUE)
              FROM unnest(?::text[], ?::int[]) t(k, b)"""
                .formatted(buckets.count(), column))) {
      statement.setArray(1, connection.createArrayOf("text", keys.toArray()));
      statement.setArray(
          2, connection.createArrayOf("int4", keys.stream().map(buckets::bucketOf).toArray()));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }
}
