package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A key has one bucket, whether Java places it or a server does. */
@Timeout(180)
class PartitioningSqlIT {
  /** Powers of two and others: the SQL of {@link PostgresBuckets} differs. */
  private static final int[] COUNTS = {1, 2, 7, 1000, 1024, 65_521, HashBuckets.MAX_COUNT};

  /** What a column may be, and its base type. */
  private static final Map<String, String> TYPES =
      new TreeMap<>(
          Map.of(
              "smallint", "smallint",
              "integer", "integer",
              "bigint", "bigint",
              "numeric(20,0)", "numeric(20,0)",
              "text", "text",
              "character varying", "character varying",
              "character varying(60)", "character varying(60)",
              "uuid", "uuid",
              "tenant_number", "bigint",
              "tenant_name", "text"));

  private static final int MANY = 2_000;
  private static final int SOME = 100;

  private static SandboxShards shards;
  private static SandboxShard shard;

  @BeforeAll
  static void aShardWithTheFunctions() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.execute(
        "CREATE DOMAIN tenant_number AS bigint CHECK (value IS NOT NULL)",
        "CREATE DOMAIN tenant_name AS text");
    // a cautious administrator's default, which would keep applications from our functions
    shard.executeAsSuperuser(
        "ALTER DEFAULT PRIVILEGES FOR ROLE %s REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
            .formatted(SandboxRole.RESHARD.user()));
    try (Connection connection = shard.connect(SandboxRole.RESHARD);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA reshard; GRANT USAGE ON SCHEMA reshard TO PUBLIC");
      for (Partitioning partitioning : Partitionings.into(1)) {
        for (int again = 0; again < 2 && partitioning.sqlSetup().isPresent(); again++) {
          statement.execute(partitioning.sqlSetup().get());
        }
      }
    }
  }

  @AfterAll
  static void drop() throws SQLException {
    shards.close();
  }

  @Test
  void javaAndSqlPlaceEveryKeyOfEveryAcceptedTypeInTheSameBucket() throws SQLException {
    RandomKeys keys = new RandomKeys(new Random().nextLong(), MANY);
    int compared = 0;
    try (Connection app = shard.connect(SandboxRole.APP)) {
      for (Map.Entry<String, String> type : TYPES.entrySet()) {
        List<String> some = keys.of(type.getValue());
        for (int count : COUNTS) {
          for (Partitioning partitioning : Partitionings.into(count)) {
            if (partitioning.objectionTo(type.getValue()).isEmpty()) {
              compare(app, partitioning, type.getKey(), some);
              compared += some.size();
            }
          }
        }
      }
    }
    System.out.printf("%d keys placed%n", compared);
  }

  /** What triggers evaluate runs in the application's sessions, under its search path. */
  @Test
  void noSearchPathChangesABucket() throws SQLException {
    shard.createSchema("other");
    for (String type : List.of("text", "bytea", "int4", "int8", "bit")) {
      shard.execute("CREATE DOMAIN other.%s AS date".formatted(type));
    }
    for (String operator : List.of("%", "+", "-", "*", "#", "&", "|", "<<", ">>", "<", "=")) {
      String result = operator.matches("[<=]") ? "boolean" : "bigint";
      for (String sides : List.of("bigint, bigint", "bigint, integer", "integer, integer")) {
        String[] side = sides.split(", ", -1);
        shard.execute(
            "CREATE OR REPLACE FUNCTION other.wrong_%1$s(%2$s) RETURNS %1$s LANGUAGE sql AS 'SELECT (1/0)::text::%1$s'"
                .formatted(result, sides),
            "CREATE OPERATOR other.%s (FUNCTION = other.wrong_%s, LEFTARG = %s, RIGHTARG = %s)"
                .formatted(operator, result, side[0], side[1]));
      }
    }
    for (String function :
        List.of(
            "octet_length(bytea)",
            "get_byte(bytea, integer)",
            "get_bit(bytea, integer)",
            "convert_to(text, name)",
            "md5(text)",
            "left(text, integer)",
            "hashint8extended(bigint, bigint)",
            "hashtextextended(text, bigint)",
            "uuid_hash_extended(uuid, bigint)")) {
      shard.execute(
          "CREATE FUNCTION other.%s RETURNS integer LANGUAGE sql AS 'SELECT 1/0'"
              .formatted(function));
    }
    RandomKeys keys = new RandomKeys(7, SOME);
    try (Connection app = shard.connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      statement.execute("SET search_path = other, pg_catalog, public");
      SQLException proof =
          assertThrows(SQLException.class, () -> statement.execute("SELECT md5('x')"));
      assertTrue(proof.getMessage().contains("division by zero"), proof.getMessage());
      for (String type : List.of("bigint", "pg_catalog.text", "uuid")) {
        String base = type.replace("pg_catalog.", "");
        for (Partitioning partitioning : Partitionings.into(1000)) {
          if (partitioning.objectionTo(base).isEmpty()) {
            compare(app, partitioning, type, keys.of(base));
          }
        }
      }
    }
  }

  @Test
  void noKeyHasNoBucket() throws SQLException {
    for (Partitioning partitioning : Partitionings.into(1000)) {
      String type = partitioning instanceof PostgresBuckets p ? p.type().word() : "bigint";
      String key = "NULL::" + type;
      assertEquals(
          "||",
          shard
              .query(
                  "SELECT concat('|', %s, '|', %s)"
                      .formatted(partitioning.sql(key), partitioning.sqlIn(key, BucketSet.of(0))))
              .get(0),
          partitioning.describe());
    }
  }

  /** Of these a guard, which runs in the application's session, would place a row elsewhere. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "2026-01-31          | date                        | DateStyle = 'German'",
        "2026-01-31 12:00    | timestamp without time zone | DateStyle = 'German'",
        "2026-01-31 12:00Z   | timestamp with time zone    | TimeZone = 'Asia/Tokyo'",
        "1 day 1 hour        | interval                    | IntervalStyle = 'iso_8601'",
        "0.30000000000000004 | double precision            | extra_float_digits = -3",
        "\\xff             | bytea                       | bytea_output = 'escape'"
      })
  void aTypeWhoseTextASessionChangesIsNotAccepted(String key, String type, String setting)
      throws SQLException {
    String bucket =
        "SELECT "
            + new HashBuckets(HashBuckets.Function.MD5, 65_536)
                .sql("'%s'::%s".formatted(key, type));
    shard.execute(
        "CREATE OR REPLACE FUNCTION elsewhere() RETURNS integer LANGUAGE sql SET %s AS $$ %s $$"
            .formatted(setting, bucket));
    assertNotEquals(shard.query(bucket), shard.query("SELECT elsewhere()"));
    for (Partitioning partitioning : Partitionings.into(1024)) {
      assertTrue(partitioning.objectionTo(type).isPresent(), partitioning.describe());
    }
  }

  private static void compare(
      Connection connection, Partitioning partitioning, String type, List<String> keys)
      throws SQLException {
    String sql =
        "SELECT k, %s, %s FROM (SELECT t::%s AS k FROM pg_catalog.unnest(?::pg_catalog.text[]) t) x"
            .formatted(
                partitioning.sql("k"), partitioning.sqlIn("k", even(partitioning.count())), type);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setArray(1, connection.createArrayOf("text", keys.toArray()));
      int compared = 0;
      try (ResultSet row = statement.executeQuery()) {
        for (; row.next(); compared++) {
          String key = row.getString(1);
          assertEquals(keys.get(compared), key);
          int bucket = partitioning.bucketOf(key);
          if (bucket != row.getInt(2) || (bucket % 2 == 0) != row.getBoolean(3)) {
            throw new AssertionError(
                "%s of %s '%s' is %d in Java, %d in SQL, in the even ones: %s"
                    .formatted(
                        partitioning.describe(),
                        type,
                        key,
                        bucket,
                        row.getInt(2),
                        row.getString(3)));
          }
        }
      }
      assertEquals(keys.size(), compared);
    }
  }

  private static BucketSet even(int count) {
    return BucketSet.of(IntStream.range(0, count).filter(b -> b % 2 == 0));
  }
}
