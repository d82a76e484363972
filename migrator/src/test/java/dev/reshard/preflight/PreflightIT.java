package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Spec;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  @Test
  void findsNothingInAGoodShopAndChangesNothing() throws SQLException {
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

  private static Spec spec() {
    return new Spec(
        "shop",
        Map.of(),
        A,
        Map.of(),
        new Spec.Topics("reshard", (short) 1),
        new Spec.KeyspaceSpec(
            "shop",
            "customer",
            new HashBuckets(HashBuckets.Function.MODULO, 8),
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
