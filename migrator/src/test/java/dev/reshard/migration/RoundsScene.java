package dev.reshard.migration;

import dev.reshard.change.ChangeWriter;
import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import dev.reshard.change.TextTuple;
import dev.reshard.change.TransactionEncoder;
import dev.reshard.control.ControlStore;
import dev.reshard.guard.Guard;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ServerIdentity;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.Secret;
import dev.reshard.spec.Spec;
import dev.reshard.spec.ThrottleSpec;
import dev.reshard.throttle.Limit;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Shard a gives buckets 0-3 of 16 to b and 4-7 to c. Tables: {@code orders} with rows out of line,
 * {@code days} with partitions, {@code events} without a key. Confined to one thread.
 */
final class RoundsScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final ShardId C = new ShardId("c");
  private static final Partitioning BUCKETS = new HashBuckets(HashBuckets.Function.MD5, 16);
  private static final Map<ShardId, BucketSet> MOVING =
      Map.of(B, BucketSet.range(0, 4), C, BucketSet.range(4, 8));
  private static final List<String> TABLES = List.of("orders", "days", "events");
  private static final int CHUNK_BLOCKS = 8;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final SandboxShards shards = SharedSandbox.shards(3);
  final Migration migration;
  Duration slotLimit = PATIENCE;
  private final ControlStore control;
  private final List<String> tables;

  RoundsScene() throws Exception {
    this(new Spec.Copy(2));
  }

  RoundsScene(Spec.Copy copy) throws Exception {
    this(copy, Map.of());
  }

  /**
   * @param more other tables, each made by its statement, with rows (tenant, id) of {@code g % 97}
   *     and g
   */
  RoundsScene(Spec.Copy copy, Map<String, String> more) throws Exception {
    tables = Stream.concat(TABLES.stream(), more.keySet().stream()).toList();
    String name = "rounds-" + UUID.randomUUID().toString().substring(0, 8);
    ShardSessions sessions =
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
    WorkerIdentity worker = new WorkerIdentity(name, 1, Marker.random());
    for (ShardId shard : sessions.shards()) {
      try (Connection connection = sessions.open(shard, "test")) {
        ShardSchema.install(connection);
        ShardSchema.install(connection, BUCKETS);
        ShardSchema.takeLease(connection, worker);
      }
    }
    shards.execute(
        """
        CREATE TABLE orders (tenant bigint NOT NULL, id bigint NOT NULL, note text, doc text,
                             PRIMARY KEY (tenant, id))""",
        "ALTER TABLE orders ALTER COLUMN doc SET STORAGE EXTERNAL",
        """
        CREATE TABLE days (tenant bigint NOT NULL, day date NOT NULL, note text,
                           PRIMARY KEY (tenant, day)) PARTITION BY RANGE (day)""",
        "CREATE TABLE days1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-03-01')",
        "CREATE TABLE days2 PARTITION OF days FOR VALUES FROM ('2026-03-01') TO ('2026-05-01')",
        "CREATE TABLE events (tenant bigint NOT NULL, what text)");
    a().execute(
            """
        INSERT INTO orders SELECT g % 97, g, repeat('x', (g % 300)::int),
               CASE WHEN g % 3 = 0 THEN repeat(md5(g::text), 100) END
          FROM generate_series(1, 6000) g"""
                + owned("(g % 97)::bigint"),
            """
        INSERT INTO days SELECT g % 97, date '2026-01-01' + (g / 97)::int, 'day ' || g
          FROM generate_series(0, 97 * 110) g"""
                + owned("(g % 97)::bigint"),
            "INSERT INTO events SELECT g % 97, 'event ' || g % 7 FROM generate_series(1, 8000) g"
                + owned("(g % 97)::bigint"));
    for (Map.Entry<String, String> table : more.entrySet()) {
      shards.execute(table.getValue());
      a().execute(
              "INSERT INTO %s (tenant, id) SELECT g %% 97, g FROM generate_series(1, 3000) g"
                      .formatted(table.getKey())
                  + owned("(g % 97)::bigint"));
    }
    Moves moves = new Moves(List.of(new Move(A, B, MOVING.get(B)), new Move(A, C, MOVING.get(C))));
    ShardMap map =
        ShardMap.of(
            1, 16, Map.of(A, BucketSet.range(0, 14), B, BucketSet.of(14), C, BucketSet.of(15)));
    control = new ControlStore(sessions, A, name);
    control.install();
    control.create("shop", moves, 16);
    migration =
        new Migration(
            spec(name, copy),
            new Keyspace(
                "shop",
                BUCKETS,
                tables.stream()
                    .map(table -> new ShardedTable(new TableId("public", table), "tenant"))
                    .toList(),
                List.of()),
            moves,
            map,
            sessions,
            control,
            worker);
    new PreparePhase(migration, new Guards(migration)).run();
  }

  private static String owned(String tenant) {
    return " WHERE " + BUCKETS.sqlIn(tenant, BucketSet.range(0, 14));
  }

  private static Spec spec(String name, Spec.Copy copy) {
    return new Spec(
        name,
        Map.of(),
        A,
        Map.of("bootstrap.servers", new Secret(SharedSandbox.kafka().bootstrapServers())),
        new Spec.Topics("test", (short) 1),
        null,
        Map.of(),
        null,
        new Spec.Budget(Duration.ofMillis(250)),
        new Spec.Gates(Duration.ofSeconds(2), 0.00001),
        new Spec.Shadow(0),
        copy,
        ThrottleSpec.NONE,
        false);
  }

  SandboxShard a() {
    return shards.get("a");
  }

  /** A row of b's, in a transaction that ends after all that shard a will write. */
  void publishAsFormerServer() throws SQLException {
    ServerIdentity former = new ServerIdentity("7300000000000000001", 1);
    try (ChangeWriter topic =
        new ChangeWriter(
            migration.kafka(),
            migration.topics().changes(A),
            "former",
            error -> {
              throw error;
            })) {
      TransactionEncoder encoder =
          new TransactionEncoder(
              former,
              control.nextIncarnation(),
              Lsn.ZERO,
              (record, end) -> topic.send(record, offset -> {}));
      encoder.begin(Lsn.parse("FFFF/0"), Instant.now());
      encoder.row(
          new ChangedTable(
              new TableId("public", "orders"),
              List.of("tenant", "id", "note", "doc"),
              List.of(0, 1)),
          RowChange.Kind.INSERT,
          RowChange.NO_BUCKET,
          0,
          null,
          TextTuple.of("0", "-1", "lost", null));
      encoder.commit(Lsn.parse("FFFF/100"));
      topic.flush();
    }
  }

  /** A worker copies until it has begun so many chunks, then it dies. */
  Phase.Outcome round(int chunks) throws Exception {
    AtomicInteger asked = new AtomicInteger();
    return round(
        () -> isCopying() && asked.incrementAndGet() > chunks,
        List.of(),
        why -> {
          throw new AssertionError(why);
        });
  }

  /** One that may be held back, or pause the migration. */
  Phase.Outcome round(BooleanSupplier stop, List<Limit> limits, Consumer<String> pause)
      throws Exception {
    try (Replication replication = new Replication(migration, null);
        Throttles throttle = new Throttles(migration, () -> limits)) {
      throttle.start();
      return new CopyPhase(
              migration,
              new Guards(migration),
              replication,
              new CopyReport(),
              throttle,
              stop,
              pause,
              CHUNK_BLOCKS,
              slotLimit)
          .run();
    }
  }

  /** Not while the lanes come near. */
  private static boolean isCopying() {
    return Thread.currentThread().getName().startsWith("copy-");
  }

  /** Nobody writes any more: after all changes came, rows are where and what they were. */
  void requireEqual() throws Exception {
    try (Replication replication = new Replication(migration, null)) {
      replication.start();
      String token = migration.worker().marker().token("the end");
      try (Connection connection = migration.sessions().open(A, "test")) {
        Guard.emitToken(connection, token);
      }
      for (ShardId destination : List.of(B, C)) {
        if (!replication.awaitToken(A, destination, token, PATIENCE)) {
          throw new AssertionError(replication.trouble().orElse("the lanes are slow"));
        }
      }
    }
    for (String table : tables) {
      RowComparer.withoutKey()
          .compare(
              List.of(of(A, table, MOVING.get(B).plus(MOVING.get(C)))),
              List.of(of(B, table, MOVING.get(B)), of(C, table, MOVING.get(C))))
          .requireEqual();
    }
  }

  private RowSelection of(ShardId shard, String table, BucketSet buckets) {
    return RowSelection.of(shards.get(shard.name()), "public." + table)
        .where(BUCKETS.sqlIn("tenant", buckets));
  }

  @Override
  public void close() throws SQLException {
    control.close();
    shards.close();
  }
}
