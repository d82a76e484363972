package dev.reshard.verify;

import dev.reshard.copy.CopyPlan;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Shard a gives buckets 0-5 of 8, by modulo, to b. Both are filled alike by the test. */
final class VerifyScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final Partitioning BUCKETS = new HashBuckets(HashBuckets.Function.MODULO, 8);
  static final BucketSet MOVING = BucketSet.range(0, 6);

  final SandboxShards shards = SharedSandbox.shards(2);
  final ShardSessions sessions;

  VerifyScene() throws SQLException {
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

  SandboxShard a() {
    return shards.get("a");
  }

  SandboxShard b() {
    return shards.get("b");
  }

  /** Tables whose shard key is {@code tenant}. */
  CopyPlan plan(String... tables) throws SQLException {
    Keyspace keyspace =
        new Keyspace(
            "shop",
            BUCKETS,
            Arrays.stream(tables)
                .map(t -> new Keyspace.ShardedTable(new TableId("public", t), "tenant"))
                .toList(),
            List.of());
    ShardMap map = ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 7), B, BucketSet.of(7)));
    try (Connection connection = sessions.open(A, "test")) {
      return CopyPlan.read(
          connection, A, keyspace, map, new Moves(List.of(new Move(A, B, MOVING))), Map.of());
    }
  }

  ComparisonResult compare(HeldLane lane, String... tables)
      throws SQLException, InterruptedException {
    return new FrozenComparison(sessions, result -> {})
        .compare(plan(tables), List.of(lane), "verify_test", () -> {});
  }

  @Override
  public void close() throws SQLException {
    shards.close();
  }

  /** A lane with nothing to apply; tests say what happens meanwhile. */
  static class IdleLane implements HeldLane {
    volatile Lsn target = Lsn.ZERO;
    volatile boolean held;

    @Override
    public ShardId destination() {
      return B;
    }

    @Override
    public void hold() {
      held = true;
    }

    @Override
    public boolean applyTo(Lsn position, Duration limit) throws InterruptedException {
      target = position;
      return true;
    }

    @Override
    public void resume() {
      held = false;
    }
  }
}
