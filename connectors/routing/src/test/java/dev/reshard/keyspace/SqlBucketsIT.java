package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Buckets by a function of the user's. */
@Timeout(120)
class SqlBucketsIT {
  private static final int SOME = 300;
  private static final int COUNT = 1000;

  private static SandboxShards shards;
  private static SandboxShard shard;

  @BeforeAll
  static void aShardWithTheFunctions() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.createSchema("own");
    shard.execute(
        function("by_number(k bigint)", "mod(abs(k::numeric), 1000)::int"),
        function("by_text(k text)", "length(k)"),
        function("by_uuid(k uuid)", "get_byte(uuid_send(k), 0)"),
        function(
            "odd(k bigint)",
            """
            CASE k WHEN 1 THEN NULL WHEN 2 THEN -1 WHEN 3 THEN 1000 WHEN 4 THEN 2147483647
                   WHEN 5 THEN -2147483648 WHEN 6 THEN 1 / (k - 6)::int ELSE 999 END"""),
        "CREATE TABLE odd (k bigint, bucket int)");
  }

  private static String function(String signature, String body) {
    return "CREATE FUNCTION own.%s RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT %s $$"
        .formatted(signature, body);
  }

  @AfterAll
  static void drop() throws SQLException {
    shards.close();
  }

  private static ServerLookup lookup() {
    return new ServerLookup(List.of(() -> shard.connect(SandboxRole.APP)));
  }

  private static Partitioning own(String function) {
    return SqlBuckets.of("own.%s({key})".formatted(function), COUNT);
  }

  @ParameterizedTest
  @CsvSource({
    "by_number, smallint",
    "by_number, integer",
    "by_number, bigint",
    "by_text,   text",
    "by_text,   character varying(60)",
    "by_uuid,   uuid"
  })
  void javaAndSqlPlaceEveryKeyInTheSameBucket(String function, String type) throws SQLException {
    List<String> keys = new RandomKeys(new Random().nextLong(), SOME).of(type);
    BucketSet even = BucketSet.of(IntStream.range(0, COUNT).filter(b -> b % 2 == 0));
    try (ServerLookup lookup = lookup();
        Connection app = shard.connect(SandboxRole.APP)) {
      Partitioning buckets = own(function).askingBy(lookup);
      String sql =
          "SELECT %s, %s FROM (SELECT t::%s AS k FROM unnest(?::text[]) t) x"
              .formatted(buckets.sql("k"), buckets.sqlIn("k", even), type);
      try (PreparedStatement statement = app.prepareStatement(sql)) {
        statement.setArray(1, app.createArrayOf("text", keys.toArray()));
        try (ResultSet row = statement.executeQuery()) {
          for (String key : keys) {
            assertTrue(row.next());
            int bucket = buckets.bucketOf(key);
            assertEquals(bucket, row.getInt(1), key);
            assertEquals(bucket % 2 == 0, row.getBoolean(2), key);
          }
        }
      }
    }
  }

  /** NULL, and numbers that are no bucket: a guard must not make the application's write fail. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5})
  void aKeyThatTheFunctionPlacesNowhereIsInNoBucketAndJavaRefusesIt(int key) throws SQLException {
    BucketSet all = BucketSet.range(0, COUNT);
    Partitioning odd = own("odd");
    assertEquals(
        "|f",
        shard
            .query(
                "SELECT concat(%s, '|', %s)"
                    .formatted(odd.sql(key + "::bigint"), odd.sqlIn(key + "::bigint", all)))
            .get(0));
    try (ServerLookup lookup = lookup()) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> odd.askingBy(lookup).bucketOf(Integer.toString(key)))
              .getMessage();
      assertTrue(message.contains("which is no bucket of 0-999"), message);
      assertEquals(999, odd.askingBy(lookup).bucketOf("7"));
    }
  }

  @ParameterizedTest
  @CsvSource({"6, 22012", "six, 22P02"})
  void aKeyThatTheFunctionRefusesIsNamedByTheSqlState(String key, String state) {
    try (ServerLookup lookup = lookup()) {
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> own("odd").askingBy(lookup).bucketOf(key))
              .getMessage();
      assertTrue(message.contains(state), message);
    }
  }

  @Test
  void itStandsInATriggersWhenForARoleWithAnotherSearchPath() throws SQLException {
    Partitioning odd = own("odd");
    shard.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        "CREATE TRIGGER guard AFTER INSERT ON odd FOR EACH ROW WHEN (%s) EXECUTE FUNCTION refuse()"
            .formatted(odd.sqlIn("NEW.k", BucketSet.of(999))));
    try (Connection app = shard.connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      statement.execute("SET search_path = ''");
      statement.execute("INSERT INTO public.odd SELECT generate_series(1, 5)");
      SQLException refused =
          assertThrows(
              SQLException.class, () -> statement.execute("INSERT INTO public.odd VALUES (7)"));
      assertTrue(refused.getMessage().contains("refused"), refused.getMessage());
    }
  }

  @Test
  void aKeyIsAskedForOnce() {
    AtomicInteger asked = new AtomicInteger();
    Partitioning buckets = own("by_number").askingBy((query, key) -> asked.incrementAndGet());
    assertEquals(1, buckets.bucketOf("4711"));
    assertEquals(1, buckets.bucketOf("4711"));
    assertEquals(2, buckets.bucketOf("4712"));
  }

  @Test
  void anotherServerIsAskedWhenOneIsAwayAndAnotherConnectionWhenOneIsCut() throws SQLException {
    AtomicInteger opened = new AtomicInteger();
    try (ServerLookup lookup =
        new ServerLookup(
            List.of(
                () -> {
                  throw new SQLException("away", "08001");
                },
                () -> {
                  opened.incrementAndGet();
                  return shard.connect(SandboxRole.APP);
                }))) {
      Partitioning buckets = own("by_number").askingBy(lookup);
      assertEquals(11, buckets.bucketOf("4011"));
      shard.query(
          "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND usename = '%s'"
              .formatted(SandboxRole.APP.user()));
      assertEquals(12, buckets.bucketOf("4012"));
      assertEquals(2, opened.get());
    }
  }

  @Test
  void whenNobodyCanBeAskedThatIsNoFaultOfTheKey() {
    try (ServerLookup lookup = lookup()) {
      BucketUnknownException unknown =
          assertThrows(
              BucketUnknownException.class,
              () -> SqlBuckets.of("own.gone({key})", 8).askingBy(lookup).bucketOf("1"));
      assertEquals("42883", unknown.sqlException().getSQLState());
    }
    String unbound =
        assertThrows(IllegalStateException.class, () -> own("by_number").bucketOf("1"))
            .getMessage();
    assertTrue(unbound.contains("own.by_number({key}) into 1000"), unbound);
    assertFalse(own("by_number").isComputed());
  }
}
