package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class PreflightIT {
  private CheckScene scene;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2);
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  /** Not even the functions that a worker needs of crc32 and murmur3. */
  @ParameterizedTest
  @EnumSource
  void findsNothingInAGoodShopAndChangesNothing(HashBuckets.Function function) throws Exception {
    Preflight.Result result = scene.placedBy(new HashBuckets(function, 8)).check();
    assertEquals(List.of(), result.findings());
    assertEquals(
        List.of("%d checks: %d clean".formatted(result.checks(), result.checks())), result.lines());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modulo          | text                 | is text, but modulo needs an integer",
        "modulo          | a_name               | is text, but modulo needs an integer",
        "crc32           | date                 | is date, whose text is not the same in every session",
        "md5             | character(4)         | is character(4), whose text is not the same",
        "md5             | numeric              | is numeric, whose text is not the same",
        "murmur3         | boolean              | is boolean, whose text is not the same",
        "murmur3         | text COLLATE no_case | has a nondeterministic collation",
        "postgres text   | text COLLATE no_case | has a nondeterministic collation",
        "postgres bigint | uuid                 | is uuid, but keyspace.buckets says type bigint; write uuid, if",
        "postgres bigint | numeric(9,0)         | is numeric(9,0), whose PostgreSQL hash we do not know"
      })
  void aShardKeyWithoutOneBucketIsABlockerOnEachShard(String function, String type, String blocker)
      throws Exception {
    basketOf(type);
    scene
        .placedBy(named(function))
        .assertFinds("BLOCKER  a, b: public.basket: customer " + blocker);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modulo          | a_number",
        "crc32           | a_name",
        "murmur3         | character varying(20)",
        "md5             | numeric(30,0)",
        "md5             | uuid",
        "postgres bigint | smallint"
      })
  void aShardKeyThatTheFunctionPlacesIsNone(String function, String type) throws Exception {
    basketOf(type);
    assertEquals(List.of(), scene.placedBy(named(function)).check().findings());
  }

  @Test
  void aTextKeyInAnotherEncodingThanUtf8IsABlocker() throws Exception {
    SandboxShard shard = scene.a();
    String database = shard.database() + "_latin1";
    shard.executeAsSuperuser(
        "CREATE DATABASE %s TEMPLATE template0 ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C'"
            .formatted(database));
    try (Connection connection = shard.server().connect(database, SandboxRole.SUPERUSER);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE by_name (customer text)");
      statement.execute("CREATE TABLE by_number (customer bigint)");
      List<String> found =
          scene
              .placedBy(new HashBuckets(HashBuckets.Function.MD5, 8))
              .reaching(CheckScene.A, shard.server().url(database))
              .check()
              .lines()
              .stream()
              .filter(line -> line.contains("is stored in"))
              .toList();
      assertEquals(1, found.size(), found.toString());
      assertTrue(
          found.get(0).startsWith("BLOCKER  a: public.by_name: customer is stored in LATIN1"),
          found.toString());
    } finally {
      shard.executeAsSuperuser("DROP DATABASE %s WITH (FORCE)".formatted(database));
    }
  }

  private static Partitioning named(String function) {
    String[] words = function.toUpperCase(Locale.ROOT).split(" ", -1);
    return words.length == 1
        ? new HashBuckets(HashBuckets.Function.valueOf(words[0]), 8)
        : new PostgresBuckets(PostgresBuckets.Type.valueOf(words[1]), 8);
  }

  private void basketOf(String type) throws SQLException {
    scene.shards.execute(
        "CREATE DOMAIN a_name AS text",
        "CREATE DOMAIN a_number AS bigint",
        "CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE TABLE basket (customer %s NOT NULL, PRIMARY KEY (customer))".formatted(type));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "b | ALTER TABLE orders ADD note text             | public.orders (note): differs between shards in columns, types or NOT NULL",
        "a | CREATE TABLE basket (customer bigint)        | a, b: public.basket: customer may be NULL",
        "a | CREATE TABLE basket (id bigint)              | a, b: public.basket: has no column customer",
        "a | CREATE TABLE basket (customer text NOT NULL) | a, b: public.basket: customer is text, but modulo needs",
        "a | CREATE UNIQUE INDEX by_id ON orders (id)     | a: public.orders (by_id): unique key without the shard key customer",
        "a | CREATE UNIQUE INDEX by_id ON orders (id) INCLUDE (customer) | a: public.orders (by_id): unique key without the shard key customer",
        "a | ALTER TABLE orders SET UNLOGGED              | a: public.orders: is not logged",
        "a | CREATE TABLE basket (x bigint, customer bigint GENERATED ALWAYS AS (x % 9) STORED NOT NULL) | a, b: public.basket: customer is a generated column",
        "b | CREATE TABLE special () INHERITS (orders)    | b: public.orders: uses INHERITS"
      })
  void aFaultIsABlockerAndNothingIsChanged(String shard, String fault, String blocker)
      throws Exception {
    if (fault.startsWith("CREATE TABLE basket")) {
      scene.shards.execute(fault);
    } else {
      scene.shards.get(shard).execute(fault);
    }
    scene.assertFinds("BLOCKER  " + blocker);
  }

  @Test
  void aTableThatTheControlShardLacksIsSeenToo() throws Exception {
    scene.b().execute("CREATE TABLE basket (customer bigint NOT NULL)");
    scene.assertFinds("BLOCKER  a: public.basket: there is no such table");
    scene.sharded("public.orders");
    scene.assertFinds("BLOCKER  public.basket: is in no list");
  }

  @Test
  void aShardThatCannotBeReachedHidesNothingOfTheOthers() throws Exception {
    scene
        .as("reshard", "wrong")
        .assertFinds(
            "BLOCKER  a (127.0.0.1:%d): the password of user \"reshard\" is refused; see login in "
                .formatted(scene.a().server().port()));
    scene.as("reshard", "reshard-password").a().execute("ALTER TABLE orders SET UNLOGGED");
    scene
        .b()
        .executeAsSuperuser(
            "REVOKE CONNECT ON DATABASE %s FROM PUBLIC".formatted(scene.b().database()));
    Preflight.Result result = scene.check();
    assertTrue(
        result.lines().stream()
            .anyMatch(l -> l.matches("BLOCKER  b \\([0-9.:]+\\): cannot be reached.*")));
    assertTrue(
        result.lines().get(0).contains(" without findings where shards could be asked"),
        result.lines().get(0));
    assertTrue(
        result.lines().stream().anyMatch(l -> l.startsWith("BLOCKER  a: public.orders: is not")));
  }

  @Test
  void whatCouldNotBeLookedAtIsNotClean() throws Exception {
    Preflight.Result result = scene.as("reshard", "wrong").check();
    assertEquals(
        "%d checks: 1 with blockers, %d could not be made"
            .formatted(result.checks(), result.checks() - 1),
        result.lines().get(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"orders", "country"})
  void aTableThatADestinationLacksWillBeMadeThere(String table) throws Exception {
    scene.b().execute("DROP TABLE " + table);
    assertEquals(
        List.of(
            "note  b: public.%s: there is no such table; it will be made there".formatted(table)),
        scene.check().lines().stream().skip(1).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"orders", "country"})
  void aTableThatASourceLacksIsABlocker(String table) throws Exception {
    scene.a().execute("DROP TABLE " + table);
    scene.assertFinds(
        "BLOCKER  a: public.%s: there is no such table; roll out your schema there first"
            .formatted(table));
  }

  @Test
  void aReferenceTableIsNotMadeWhereNobodyFillsIt() throws Exception {
    scene.moving(
        Map.of(CheckScene.A, BucketSet.range(0, 4), CheckScene.B, BucketSet.range(4, 8)),
        Map.of(CheckScene.A, BucketSet.range(0, 2), CheckScene.B, BucketSet.range(2, 8)));
    scene.b().execute("DROP TABLE country");
    scene.assertFinds(
        "BLOCKER  b: public.country: there is no such reference table, though the shard serves already; make it there, with its rows");
  }

  @Test
  void aCheckThatCannotLookIsABlocker() {
    Check blind =
        Checks.check(
            "something",
            () -> {
              throw new SQLException("no way");
            });
    assertEquals(
        List.of("1 check: 1 could not be made", "BLOCKER  something: could not be checked: no way"),
        Preflight.run(List.of(blind)).lines());
  }
}
