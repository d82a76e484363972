package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One real shard with a keyspace of 16 buckets (key mod 16): of its buckets 0-7, the unit takes 0
 * and 1 to shard b and 2 to shard c. Buckets 8-15 are shard b's.
 */
final class GuardedShard implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final ShardId C = new ShardId("c");
  static final ShardMap MAP =
      ShardMap.of(1, 16, Map.of(A, BucketSet.range(0, 8), B, BucketSet.range(8, 16)));
  static final Unit UNIT =
      new Unit(
          "shop",
          "all/a",
          List.of(new Move(A, B, BucketSet.of(0, 1)), new Move(A, C, BucketSet.of(2))));
  static final Duration BUDGET = Duration.ofSeconds(30);

  final SandboxShard shard;
  final ShardSessions sessions;
  final WorkerIdentity worker = new WorkerIdentity("shop", 1, Marker.random());
  final Guard guard = new Guard(UNIT, worker);
  final Keyspace keyspace;
  final Connection ours;
  private final SandboxShards shards;
  private final ShardId id;

  private GuardedShard(SandboxShards shards, ShardId id, Keyspace keyspace) throws SQLException {
    this.shards = shards;
    this.id = id;
    this.keyspace = keyspace;
    shard = shards.get(id.name());
    sessions =
        new ShardSessions(
            "shop",
            List.of(
                new ShardAddress(
                    id, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
    ours = sessions.open(id, "guard");
  }

  /** A shard whose tables {@code ddl} makes; {@code keys} are "table.column". Nothing is armed. */
  static GuardedShard create(ShardId id, List<String> ddl, String... keys) throws SQLException {
    List<ShardedTable> tables =
        Arrays.stream(keys)
            .map(key -> key.split("\\.", 2))
            .map(parts -> new ShardedTable(new TableId("public", parts[0]), parts[1]))
            .toList();
    return create(
        id,
        ddl,
        new Keyspace("shop", new HashBuckets(HashBuckets.Function.MODULO, 16), tables, List.of()));
  }

  static GuardedShard create(ShardId id, List<String> ddl, Keyspace keyspace) throws SQLException {
    SandboxShards shards = SharedSandbox.freshShards(id.name());
    shards.execute(ddl.toArray(String[]::new));
    GuardedShard guarded = new GuardedShard(shards, id, keyspace);
    Guard.install(guarded.ours);
    ShardSchema.install(guarded.ours, keyspace.partitioning());
    ShardSchema.takeLease(guarded.ours, guarded.worker);
    return guarded;
  }

  /** Shard a with a table of orders, keyed by customer, ten rows in each bucket; armed. */
  static GuardedShard withOrders() throws SQLException {
    GuardedShard guarded =
        create(
            A,
            List.of(
                "CREATE TABLE orders (id bigint, customer bigint NOT NULL, note text,"
                    + " PRIMARY KEY (id, customer))",
                "INSERT INTO orders SELECT i, i % 16, 'x' FROM generate_series(0, 159) i"),
            "orders.customer");
    guarded.arm();
    return guarded;
  }

  Arming arming() {
    return new Arming(
        keyspace, worker, new Patience(Duration.ofMillis(50), Duration.ofSeconds(10)));
  }

  void arm() throws SQLException {
    arming().arm(ours, id, UNIT, MAP.epoch());
  }

  /** Fences and waits; nobody writes, so nobody may be left. */
  void fence(long attempt) throws SQLException {
    guard.fence(ours, attempt, BUDGET);
    List<Writer> left = guard.waitForWriters(ours, Duration.ofSeconds(5));
    if (!left.isEmpty()) {
      throw new IllegalStateException("unexpected writers " + left);
    }
  }

  Connection app() throws SQLException {
    return shard.connect(SandboxRole.APP);
  }

  static void execute(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** The SQLSTATE with which a statement of the application fails; "passed" if it does not. */
  static String outcome(Connection connection, String sql) {
    try {
      execute(connection, sql);
      return "passed";
    } catch (SQLException e) {
      return e.getSQLState();
    }
  }

  @Override
  public void close() throws SQLException {
    ours.close();
    shards.close();
  }
}
