package dev.reshard.apply;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
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
import dev.reshard.sandbox.TcpProxy;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A destination with a lane's schema, and lanes from a hand-made source to it. */
final class LaneKit implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");

  /** Tenants 0-3 and their like modulo 16. */
  static final BucketSet BUCKETS = BucketSet.range(0, 4);

  static final Duration PATIENCE = Duration.ofSeconds(20);

  final HandMade source = new HandMade();
  final SandboxShard shard;
  final ShardSessions sessions;
  final WorkerIdentity worker = new WorkerIdentity("m", 1, Marker.random());
  private final SandboxShards shards;
  private final Keyspace keyspace;
  private final List<Lane> lanes = new ArrayList<>();
  private LaneLimits limits = LaneLimits.DEFAULT;
  private Set<TableId> absent = Set.of();
  private Set<TableId> partial = Set.of();

  private LaneKit(SandboxShards shards, Keyspace keyspace) {
    this.shards = shards;
    this.shard = shards.get("b");
    this.keyspace = keyspace;
    this.sessions = sessions(shard.url());
  }

  /** A fresh destination with tables made by {@code ddl}; sharded ones have key tenant_id. */
  static LaneKit with(List<String> sharded, List<String> reference, String... ddl)
      throws SQLException {
    SandboxShards shards = SharedSandbox.freshShards("b");
    LaneKit kit = new LaneKit(shards, keyspace(sharded, reference));
    kit.shard.execute(ddl);
    try (Connection connection = kit.connect()) {
      ShardSchema.install(connection);
      LaneProgress.install(connection);
      ShardSchema.takeLease(connection, kit.worker);
      LaneProgress.create(connection, "m", A, LanePosition.startingAfter(HandMade.START));
    }
    return kit;
  }

  static LaneKit withSharded(String table, String... ddl) throws SQLException {
    return with(List.of(table), List.of(), ddl);
  }

  private static Keyspace keyspace(List<String> sharded, List<String> reference) {
    return new Keyspace(
        "shop",
        HandMade.BUCKETS,
        sharded.stream()
            .map(name -> new Keyspace.ShardedTable(new TableId("public", name), "tenant_id"))
            .toList(),
        reference.stream().map(name -> new TableId("public", name)).toList());
  }

  /** The destination lacks these tables, and some rows of the others. */
  LaneKit lacking(Set<TableId> absentTables, Set<TableId> partialTables) {
    absent = absentTables;
    partial = partialTables;
    return this;
  }

  LaneKit limits(LaneLimits changed) {
    limits = changed;
    return this;
  }

  /** Sessions that go through a proxy. */
  ShardSessions through(TcpProxy proxy) {
    String url =
        "jdbc:postgresql://%s:%d/%s".formatted(proxy.host(), proxy.port(), shard.database());
    return sessions(url);
  }

  /** Breaks every connection; the port may take a moment until it can be listened on again. */
  static void breakConnections(TcpProxy proxy) {
    proxy.cut();
    while (true) {
      try {
        proxy.heal();
        return;
      } catch (UncheckedIOException e) {
        Thread.onSpinWait();
      }
    }
  }

  private static ShardSessions sessions(String url) {
    return new ShardSessions(
        "m",
        List.of(
            new ShardAddress(B, url, SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
  }

  Connection connect() throws SQLException {
    return sessions.open(B, "test");
  }

  LaneConfig config() {
    return new LaneConfig(A, B, BUCKETS, !keyspace.reference().isEmpty(), keyspace, worker)
        .lacking(absent, partial);
  }

  /** A lane that is not started. */
  Lane lane(ChangedKeys listener) {
    return lane(sessions, listener);
  }

  Lane lane(ShardSessions through, ChangedKeys listener) {
    Lane lane = new Lane(config(), limits, through, source, listener);
    lanes.add(lane);
    return lane;
  }

  Lane start() {
    Lane lane = lane(null);
    lane.start();
    return lane;
  }

  /** Runs a lane until it has applied all that was committed, then closes it. */
  LaneStatus applyAll() throws InterruptedException {
    String token = "all " + lanes.size();
    Lsn end = source.token(token);
    Lane lane = start();
    assertTrue(lane.awaitToken(token, PATIENCE), () -> "not applied: " + lane.status());
    assertEquals(end, lane.applied());
    lane.close();
    return lane.status();
  }

  /** Runs a lane until it stops by itself. */
  LaneException stops() {
    Lane lane = start();
    return assertThrows(LaneException.class, () -> lane.awaitToken("never", PATIENCE));
  }

  List<String> query(String sql) throws SQLException {
    return shard.query(sql);
  }

  @Override
  public void close() throws SQLException {
    lanes.forEach(Lane::close);
    shards.close();
  }
}
