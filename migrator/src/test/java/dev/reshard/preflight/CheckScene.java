package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.plan.Plan;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Secret;
import dev.reshard.spec.Spec;
import dev.reshard.spec.ThrottleSpec;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * Fresh shards with a good shop, and a migration of it: eight buckets by {@code customer mod 8};
 * unless a test says otherwise, 4-7 leave shard a for b, which owns none yet. Every check must
 * leave the catalogs as they were. Confined to one thread.
 */
final class CheckScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final ShardId C = new ShardId("c");

  /** Whatever a check could have changed or made. */
  private static final String CATALOGS =
      """
      SELECT r::text FROM (SELECT relname, relkind, relfilenode, relreplident, relacl, reloptions
        FROM pg_class WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)) r
      UNION ALL SELECT a::text FROM (SELECT attrelid, attname, atttypid, attnotnull, attisdropped
        FROM pg_attribute WHERE attrelid >= 16384) a
      UNION ALL SELECT t::text FROM (SELECT tgrelid, tgname, tgenabled FROM pg_trigger) t
      UNION ALL SELECT n::text FROM (SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp') n
      UNION ALL SELECT p::text FROM (SELECT pubname FROM pg_publication) p
      UNION ALL SELECT s::text FROM (SELECT slot_name FROM pg_replication_slots
        WHERE database = current_database()) s
      UNION ALL SELECT f::text FROM (SELECT proname FROM pg_proc
        WHERE pronamespace <> 'pg_catalog'::regnamespace) f
      UNION ALL SELECT m::text FROM (SELECT rolname, rolsuper, rolreplication FROM pg_roles) m
      UNION ALL SELECT d::text FROM (SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting) d
      ORDER BY 1""";

  final SandboxShards shards;
  private Map<ShardId, BucketSet> before = Map.of(A, BucketSet.range(0, 8));
  private Map<ShardId, BucketSet> after =
      Map.of(A, BucketSet.range(0, 4), B, BucketSet.range(4, 8));
  private String user = SandboxRole.RESHARD.user();
  private String password = SandboxRole.RESHARD.password();
  private List<String> sharded = List.of("public.*");
  private List<String> accepted = List.of();
  private Partitioning buckets = new HashBuckets(HashBuckets.Function.MODULO, 8);

  private final Map<TableId, Set<String>> ignored = new TreeMap<>();
  private OptionalLong free = OptionalLong.empty();
  private final Map<ShardId, String> urls = new TreeMap<>();

  private CheckScene(SandboxShards shards) {
    this.shards = shards;
  }

  static CheckScene shop(int count) throws SQLException {
    return shop(SharedSandbox.shards(count));
  }

  static CheckScene shop(SandboxShards shards) throws SQLException {
    CheckScene scene = new CheckScene(shards);
    scene.shards.execute(
        "CREATE TABLE orders (id bigint, customer bigint NOT NULL, PRIMARY KEY (id, customer))",
        "CREATE TABLE country (code text PRIMARY KEY)");
    return scene;
  }

  CheckScene moving(Map<ShardId, BucketSet> from, Map<ShardId, BucketSet> to) {
    before = from;
    after = to;
    return this;
  }

  CheckScene as(String name, String secret) {
    user = name;
    password = secret;
    return this;
  }

  /** Another way to a shard. */
  CheckScene reaching(ShardId shard, int port) {
    return reaching(shard, shards.get(shard.name()).url().replaceFirst(":\\d+/", ":" + port + "/"));
  }

  CheckScene reaching(ShardId shard, String url) {
    urls.put(shard, url);
    return this;
  }

  /** Places rows by something else than {@code customer mod 8}. */
  CheckScene placedBy(Partitioning partitioning) {
    buckets = partitioning;
    return this;
  }

  /** Says how much is free on b's disk. */
  CheckScene free(long bytes) {
    free = OptionalLong.of(bytes);
    return this;
  }

  CheckScene sharded(String... patterns) {
    sharded = List.of(patterns);
    return this;
  }

  CheckScene acceptingCrossShardUnique(String table) {
    accepted = List.of("public." + table);
    return this;
  }

  CheckScene ignoring(String table, String... columns) {
    ignored.put(new TableId("public", table), Set.of(columns));
    return this;
  }

  SandboxShard a() {
    return shards.get("a");
  }

  SandboxShard b() {
    return shards.get("b");
  }

  /** What a check finds, which changes nothing. */
  Preflight.Result check() throws Exception {
    List<List<String>> catalogs = catalogs();
    Preflight.Result result = with(checks -> Preflight.run(checks.all()));
    assertEquals(catalogs, catalogs());
    return result;
  }

  List<String> grants(boolean all) throws Exception {
    return with(checks -> checks.grants(all));
  }

  /** Fails unless a line begins so. */
  void assertFinds(String begin) throws Exception {
    Preflight.Result result = check();
    assertTrue(
        result.lines().stream().anyMatch(line -> line.startsWith(begin)),
        () -> begin + "\n not in\n" + String.join("\n", result.lines()));
  }

  void assertFindsNothing() throws Exception {
    assertEquals(List.of(), check().lines().subList(1, check().lines().size()));
  }

  interface Use<T> {
    T with(Checks checks) throws Exception;
  }

  <T> T with(Use<T> use) throws Exception {
    try (CheckSessions sessions = CheckSessions.open(sessions(), spec().shards().keySet())) {
      Plan plan = new Plan(ShardMap.of(1, 8, before), ShardMap.of(1, 8, after));
      return use.with(
          Checks.read(spec(), Optional.of(plan), false, sessions, keyspace -> List.of()));
    }
  }

  private List<List<String>> catalogs() throws SQLException {
    List<List<String>> catalogs = new ArrayList<>();
    for (SandboxShard shard : shards.all()) {
      catalogs.add(shard.query(CATALOGS));
    }
    return catalogs;
  }

  ShardSessions sessions() {
    return new ShardSessions(
        "shop",
        spec().shards().values().stream()
            .map(s -> new ShardAddress(s.id(), s.url(), s.user(), s.password().value()))
            .toList(),
        ignored);
  }

  private Spec spec() {
    Map<ShardId, Spec.Shard> addresses = new TreeMap<>();
    for (SandboxShard shard : shards.all()) {
      ShardId id = new ShardId(shard.name());
      String url = urls.getOrDefault(id, shard.url());
      addresses.put(
          id,
          new Spec.Shard(
              id, url, user, new Secret(password), id.equals(B) ? free : OptionalLong.empty()));
    }
    return new Spec(
        "shop",
        addresses,
        A,
        Map.of(),
        new Spec.Topics("reshard", (short) 1),
        new Spec.KeyspaceSpec(
            "shop",
            "customer",
            buckets,
            sharded,
            Map.of(),
            List.of("public.country"),
            List.of("public.special"),
            accepted,
            ignored),
        before,
        new Spec.Target.Owners(after),
        new Spec.Budget(Duration.ofMillis(250)),
        new Spec.Gates(Duration.ofSeconds(2), 0.001),
        new Spec.Shadow(0),
        new Spec.Copy(1),
        ThrottleSpec.NONE,
        false);
  }

  @Override
  public void close() throws SQLException {
    shards.close();
  }
}
