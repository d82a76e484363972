package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Spec;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Buckets 4-7 of shard a leave for shard b, which owns none yet. */
@Timeout(120)
class PreflightIT {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final Moves MOVES = new Moves(List.of(new Move(A, B, BucketSet.range(4, 8))));

  /** Whatever a check could have changed or made. */
  private static final String CATALOGS =
      """
      SELECT r::text FROM (SELECT relname, relkind, relfilenode, reltuples, relreplident, relacl FROM pg_class
        WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)) r
      UNION ALL SELECT t::text FROM (SELECT tgrelid, tgname, tgenabled FROM pg_trigger) t
      UNION ALL SELECT n::text FROM (SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp') n
      UNION ALL SELECT p::text FROM (SELECT pubname FROM pg_publication) p
      UNION ALL SELECT s::text FROM (SELECT slot_name FROM pg_replication_slots
        WHERE database = current_database()) s
      UNION ALL SELECT f::text FROM (SELECT proname FROM pg_proc
        WHERE pronamespace <> 'pg_catalog'::regnamespace) f
      ORDER BY 1""";

  private Partitioning buckets = new HashBuckets(HashBuckets.Function.MODULO, 8);
  private SandboxShards shards;
  private ShardSessions sessions;

  @BeforeEach
  void aGoodShop() throws SQLException {
    shards = SharedSandbox.shards(2);
    shards.execute(
        "CREATE TABLE orders (id bigint, customer bigint NOT NULL, PRIMARY KEY (id, customer))",
        "CREATE TABLE country (code text PRIMARY KEY)");
    sessions =
        new ShardSessions(
            "shop",
            shards.all().stream()
                .map(
                    shard ->
                        new ShardAddress(
                            new ShardId(shard.name()),
                            shard.url(),
                            SandboxRole.RESHARD.user(),
                            SandboxRole.RESHARD.password()))
                .toList());
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  /** Not even the functions that a worker needs of crc32 and murmur3. */
  @ParameterizedTest
  @EnumSource
  void findsNothingInAGoodShopAndChangesNothing(HashBuckets.Function function) throws SQLException {
    buckets = new HashBuckets(function, 8);
    List<List<String>> before = catalogs();
    Preflight.Result result = check();
    assertEquals(List.of(), result.findings());
    assertEquals(result.checks(), result.clean());
    assertEquals(before, catalogs());
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
      throws SQLException {
    buckets = named(function);
    List<String> lines = checkWithBasketOf(type).lines();
    for (String shard : List.of("a", "b")) {
      String expected = "BLOCKER  %s: public.basket.customer %s".formatted(shard, blocker);
      assertTrue(
          lines.stream().anyMatch(line -> line.startsWith(expected)),
          () -> String.join("\n", lines));
    }
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
  void aShardKeyThatTheFunctionPlacesIsNone(String function, String type) throws SQLException {
    buckets = named(function);
    assertEquals(List.of(), checkWithBasketOf(type).findings());
  }

  @Test
  void aTextKeyInAnotherEncodingThanUtf8IsABlocker() throws SQLException {
    SandboxShard shard = shards.get("a");
    String database = shard.database() + "_latin1";
    shard.executeAsSuperuser(
        "CREATE DATABASE %s TEMPLATE template0 ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C'"
            .formatted(database));
    try (Connection connection = shard.server().connect(database, SandboxRole.SUPERUSER);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE by_name (k text); CREATE TABLE by_number (k bigint)");
      ShardSessions latin1 =
          new ShardSessions(
              "shop",
              List.of(
                  new ShardAddress(
                      A,
                      shard.server().url(database),
                      SandboxRole.RESHARD.user(),
                      SandboxRole.RESHARD.password())));
      Keyspace keyspace =
          new Keyspace(
              "shop",
              new HashBuckets(HashBuckets.Function.MD5, 8),
              List.of(
                  new ShardedTable(new TableId("public", "by_name"), "k"),
                  new ShardedTable(new TableId("public", "by_number"), "k")),
              List.of());
      List<Finding> findings = new ShardKeyCheck(latin1, keyspace, Set.of(A)).look();
      assertEquals(1, findings.size(), findings.toString());
      assertTrue(
          findings.get(0).what().startsWith("a: public.by_name.k is stored in LATIN1"),
          findings.toString());
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

  private Preflight.Result checkWithBasketOf(String type) throws SQLException {
    shards.execute(
        "CREATE DOMAIN a_name AS text",
        "CREATE DOMAIN a_number AS bigint",
        "CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE TABLE basket (customer %s NOT NULL)".formatted(type));
    return check();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "b | ALTER TABLE orders ADD note text                   | public.orders differs between shards in columns, types or NOT NULL: note",
        "a | CREATE TABLE basket (customer bigint)              | a: public.basket.customer may be NULL",
        "a | CREATE TABLE basket (id bigint)                    | a: public.basket has no column customer",
        "a | CREATE TABLE basket (customer text NOT NULL)       | a: public.basket.customer is text, but modulo needs",
        "a | CREATE UNIQUE INDEX by_id ON orders (id)           | a: unique index by_id of public.orders lacks the shard key customer",
        "a | ALTER TABLE orders SET UNLOGGED                    | a: public.orders is not logged",
        "b | CREATE TABLE special () INHERITS (orders)          | b: public.orders uses INHERITS"
      })
  void aFaultIsABlockerAndNothingIsChanged(String shard, String fault, String blocker)
      throws SQLException {
    if (fault.startsWith("CREATE TABLE basket")) {
      shards.execute(fault);
    } else {
      shards.get(shard).execute(fault);
    }
    List<List<String>> before = catalogs();
    Preflight.Result result = check();
    assertTrue(result.blocked());
    assertTrue(
        result.lines().stream().anyMatch(line -> line.startsWith("BLOCKER  " + blocker)),
        () -> String.join("\n", result.lines()));
    assertEquals(before, catalogs());
  }

  @ParameterizedTest
  @ValueSource(strings = {"orders", "country"})
  void aTableThatADestinationLacksWillBeMadeThere(String table) throws SQLException {
    shards.get("b").execute("DROP TABLE " + table);
    assertEquals(
        List.of("note  b: there is no table public.%s; it will be made there".formatted(table)),
        check().lines().stream().skip(1).toList());
  }

  @Test
  void aReferenceTableIsNotMadeWhereNobodyFillsIt() throws SQLException {
    shards.get("b").execute("DROP TABLE country");
    assertTrue(
        check(Set.of(A, B)).lines().stream()
            .anyMatch(line -> line.startsWith("BLOCKER  b: there is no reference table")));
  }

  @Test
  void aCheckThatCannotLookIsABlocker() {
    Check blind =
        new Check() {
          @Override
          public String name() {
            return "a: something";
          }

          @Override
          public List<Finding> look() throws SQLException {
            throw new SQLException("no way");
          }
        };
    assertEquals(
        List.of(
            "1 checks: 0 ok, 0 notes, 1 blocker",
            "BLOCKER  a: something: could not be checked: no way"),
        Preflight.run(List.of(blind)).lines());
  }

  private Preflight.Result check() throws SQLException {
    return check(Set.of(A));
  }

  private Preflight.Result check(Set<ShardId> serving) throws SQLException {
    Spec spec = spec();
    TableLists lists;
    try (Connection connection = sessions.open(A, "check")) {
      lists = TableLists.read(connection, spec.keyspace());
    }
    assertEquals(List.of(), lists.problems());
    List<Check> checks = new ArrayList<>(ShardChecks.of(sessions, MOVES));
    checks.add(new ShardKeyCheck(sessions, lists.keyspace(), MOVES.shards()));
    checks.addAll(new TableChecks(sessions, spec, lists.keyspace(), MOVES, serving).all());
    return Preflight.run(checks);
  }

  private List<List<String>> catalogs() throws SQLException {
    List<List<String>> catalogs = new ArrayList<>();
    for (SandboxShard shard : shards.all()) {
      catalogs.add(shard.query(CATALOGS));
    }
    return catalogs;
  }

  private Spec spec() {
    return new Spec(
        "shop",
        Map.of(),
        A,
        Map.of(),
        new Spec.Topics("reshard", (short) 1),
        new Spec.KeyspaceSpec(
            "shop",
            "customer",
            buckets,
            List.of("public.*"),
            Map.of(),
            List.of("public.country"),
            List.of("public.special"),
            List.of()),
        Map.of(),
        new Spec.Target.Owners(Map.of()),
        new Spec.Budget(Duration.ofMillis(250)),
        new Spec.Gates(Duration.ofSeconds(2), 0.001),
        new Spec.Shadow(0),
        new Spec.Copy(1));
  }
}
