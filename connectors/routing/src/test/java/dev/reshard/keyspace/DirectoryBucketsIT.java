package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Buckets by the user's lookup table. */
@Timeout(120)
class DirectoryBucketsIT {
  private static final DirectoryBuckets UNREAD =
      DirectoryBuckets.of("my-shop", "select id, shard from t");

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

  /** As a worker does it; twice, for it can be repeated. */
  private static void install(Partitioning partitioning) throws SQLException {
    try (Connection connection = shard.connect(SandboxRole.RESHARD);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA IF NOT EXISTS reshard");
      statement.execute("GRANT USAGE ON SCHEMA reshard TO PUBLIC");
      for (int again = 0; again < 2; again++) {
        statement.execute(partitioning.sqlSetup().orElseThrow());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bigint", "text", "uuid", "numeric(20,0)", "character varying(60)"})
  void javaAndSqlNumberEveryKeyTheSameForEveryRoleAndSearchPath(String type) throws SQLException {
    List<String> keys =
        new ArrayList<>(
            new RandomKeys(new Random().nextLong(), 500).of(type).stream().distinct().toList());
    if (type.equals("text")) {
      keys.addAll(List.of("\"", "\\\"", "$$", "a\nb", "\u0001", "{}", "?", "%s", "''"));
    }
    DirectoryBuckets buckets = UNREAD.withKeys(keys.stream().distinct().toList());
    install(buckets);
    BucketSet even = BucketSet.of(IntStream.range(0, buckets.count()).filter(b -> b % 2 == 0));
    String sql =
        "SELECT %s, %s FROM (SELECT t::%s AS k FROM pg_catalog.unnest(?::pg_catalog.text[]) WITH ORDINALITY AS u(t, n) ORDER BY n) x"
            .formatted(buckets.sql("k"), buckets.sqlIn("k", even), type);
    try (Connection app = shard.connect(SandboxRole.APP);
        Statement statement = app.createStatement();
        PreparedStatement select = app.prepareStatement(sql)) {
      statement.execute("SET search_path = ''");
      select.setArray(1, app.createArrayOf("text", buckets.keys().toArray()));
      try (ResultSet row = select.executeQuery()) {
        for (String key : buckets.keys()) {
          assertTrue(row.next());
          assertEquals(buckets.bucketOf(key), row.getInt(1), key);
          assertEquals(buckets.bucketOf(key) % 2 == 0, row.getBoolean(2), key);
        }
      }
    }
  }

  @Test
  void aKeyThatItDoesNotHaveLiesInNoBucket() throws SQLException {
    DirectoryBuckets buckets = UNREAD.withKeys(List.of("1", "2"));
    install(buckets);
    assertEquals(Partitioning.NO_BUCKET, buckets.bucketOf("3"));
    assertEquals(
        "||",
        shard
            .query(
                "SELECT concat('|', %s, '|', %s)"
                    .formatted(
                        buckets.sql("3::bigint"),
                        buckets.sqlIn("3::bigint", BucketSet.range(0, 2))))
            .get(0));
  }

  /** As many as there may be; a guard pays for one search with every row. */
  @Test
  void aLargeDirectoryIsFastOnceASessionHasReadIt() throws SQLException {
    DirectoryBuckets buckets =
        UNREAD.withKeys(
            IntStream.range(0, HashBuckets.MAX_COUNT).mapToObj(i -> "tenant-" + i).toList());
    install(buckets);
    try (Connection app = shard.connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      long began = System.nanoTime();
      statement.executeQuery("SELECT " + buckets.sql("'tenant-4711'")).close();
      long first = System.nanoTime() - began;
      began = System.nanoTime();
      try (ResultSet row =
          statement.executeQuery(
              "SELECT count(*) FROM generate_series(1, 100000) i WHERE %s IS NOT NULL"
                  .formatted(buckets.sql("'tenant-' || i % 70000")))) {
        row.next();
        assertEquals(65_535 + 30_001, row.getInt(1));
      }
      long each = (System.nanoTime() - began) / 100_000;
      System.out.printf("first %d ms, then %d ns%n", first / 1_000_000, each);
      assertTrue(each < 100_000, each + " ns");
    }
  }

  @Test
  void itsKeysAreReadBeforeItPlacesAny() {
    assertThrows(IllegalStateException.class, () -> UNREAD.bucketOf("1"));
    assertThrows(IllegalStateException.class, UNREAD::count);
    assertThrows(IllegalArgumentException.class, () -> UNREAD.withKeys(List.of("1", "1")));
    assertThrows(IllegalArgumentException.class, () -> UNREAD.withKeys(List.of()));
  }
}
