package dev.reshard.shadow;

import dev.reshard.apply.LanePosition;
import dev.reshard.apply.LaneProgress;
import dev.reshard.control.ControlStore;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Migration;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Secret;
import dev.reshard.spec.Spec;
import dev.reshard.spec.ThrottleSpec;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * Shard a gives buckets 0-3 of 8, by modulo of {@code tenant}, to b; both have the same rows of
 * them. There is no lane: tests write on both sides and say how far the lane has come.
 */
final class DualReadsScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  private static final long PATIENCE_NANOS = Duration.ofSeconds(60).toNanos();
  private static final Move MOVE = new Move(A, B, BucketSet.range(0, 4));
  private static final String ROWS =
      """
      INSERT INTO %s (id, tenant, amount, note)
      SELECT n, n %% 50, n * 1.10, CASE n %% 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'note ' || n END
        FROM generate_series(1, 300) n WHERE n %% 50 %% 8 IN (%s)""";

  final SandboxShards shards = SharedSandbox.shards(2);
  final String name = "shop-" + UUID.randomUUID().toString().substring(0, 8);
  final ControlStore control;
  private final ShardSessions sessions;
  private final Marker marker = Marker.random();

  DualReadsScene() throws SQLException {
    sessions =
        new ShardSessions(
            name,
            shards.all().stream()
                .map(
                    shard ->
                        new ShardAddress(
                            new ShardId(shard.name()),
                            shard.url(),
                            SandboxRole.RESHARD.user(),
                            SandboxRole.RESHARD.password()))
                .toList());
    for (String table : List.of("orders", "\"Odd, name\"")) {
      shards.execute(
          """
          CREATE TABLE %s (id bigint, tenant bigint NOT NULL, amount numeric(12,2), note text,
            twice numeric GENERATED ALWAYS AS (amount * 2) STORED, PRIMARY KEY (id))"""
              .formatted(table));
    }
    shards.execute(
        "CREATE TABLE events (id bigint, tenant bigint NOT NULL, amount numeric(12,2), note text,"
            + " PRIMARY KEY (tenant, id)) PARTITION BY HASH (tenant)",
        "CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
    for (String table : List.of("orders", "events", "\"Odd, name\"")) {
      a().execute(ROWS.formatted(table, "0,1,2,3,4,5,6"));
      b().execute(ROWS.formatted(table, "0,1,2,3"));
    }
    control = new ControlStore(sessions, A, name);
    control.install();
    control.create("shop", new Moves(List.of(MOVE)), 8);
    sql(A, "UPDATE reshard.migration SET state = 'CATCHING_UP' WHERE name = '%s'".formatted(name));
    try (Connection connection = sessions.open(B, "test")) {
      ShardSchema.install(connection);
      LaneProgress.install(connection);
      LaneProgress.create(connection, name, A, LanePosition.startingAfter(position()));
    }
  }

  SandboxShard a() {
    return shards.get("a");
  }

  SandboxShard b() {
    return shards.get("b");
  }

  void sql(ShardId shard, String sql) throws SQLException {
    shards.get(shard.name()).executeAsSuperuser(sql);
  }

  /** Where the source's WAL ends now. */
  Lsn position() throws SQLException {
    return Lsn.parse(a().query("SELECT pg_current_wal_insert_lsn()").get(0));
  }

  /** A statement for b that shows the lane at {@code position}. */
  static String progress(Lsn position) {
    return "UPDATE reshard.lane SET applied = '%s'".formatted(position);
  }

  /** The lane has applied all there is; it has, if the test wrote both sides alike. */
  void catchUp() throws SQLException {
    sql(B, progress(position()));
  }

  /** As a worker with this lease sees it. */
  Migration migration(int probesPerSecond, long lease) {
    Keyspace keyspace =
        new Keyspace(
            "shop",
            new HashBuckets(HashBuckets.Function.MODULO, 8),
            List.of(
                new ShardedTable(new TableId("public", "orders"), "tenant"),
                new ShardedTable(new TableId("public", "events"), "tenant"),
                new ShardedTable(new TableId("public", "Odd, name"), "tenant")),
            List.of());
    Spec spec =
        new Spec(
            name,
            Map.of(),
            A,
            Map.of("bootstrap.servers", new Secret(SharedSandbox.kafka().bootstrapServers())),
            new Spec.Topics("reshard", (short) 1),
            null,
            Map.of(),
            null,
            new Spec.Budget(Duration.ofMillis(250)),
            new Spec.Gates(Duration.ofSeconds(2), 0.00001),
            new Spec.Shadow(probesPerSecond),
            new Spec.Copy(1),
            ThrottleSpec.NONE,
            false);
    return new Migration(
        spec,
        keyspace,
        new Moves(List.of(MOVE)),
        ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 7), B, BucketSet.of(7))),
        sessions,
        control,
        new WorkerIdentity(name, lease, marker));
  }

  /** Waits until something holds; fails after a minute, saying what was expected. */
  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("did not happen within a minute: " + what);
      }
      Thread.sleep(50); // between two looks
    }
  }

  @Override
  public void close() throws SQLException {
    control.close();
    shards.close();
  }
}
