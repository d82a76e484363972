package dev.reshard.copy;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowComparison;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.sandbox.TcpProxy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Shard a gives buckets 0-3 to b and 4-7 to c and keeps 8-13; b serves 14, c serves 15. Keys of any
 * type, by md5 into 16.
 */
final class CopyScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final ShardId C = new ShardId("c");

  /** Small chunks, so that every table of a test has several. */
  static final CopyOptions OPTIONS = new CopyOptions(2, 3);

  static final Partitioning BUCKETS = new HashBuckets(HashBuckets.Function.MD5, 16);
  static final Map<ShardId, BucketSet> MOVING =
      Map.of(B, BucketSet.range(0, 4), C, BucketSet.range(4, 8));

  static final ShardMap MAP =
      ShardMap.of(
          1, 16, Map.of(A, BucketSet.range(0, 14), B, BucketSet.of(14), C, BucketSet.of(15)));
  static final Moves MOVES =
      new Moves(List.of(new Move(A, B, MOVING.get(B)), new Move(A, C, MOVING.get(C))));

  final SandboxShards shards;
  final ShardSessions sessions;
  final WorkerIdentity worker = new WorkerIdentity("shop", 1, Marker.random());

  CopyScene() throws SQLException {
    shards = SharedSandbox.shards(3);
    sessions = sessions(SandboxShard::url);
    for (ShardId shard : sessions.shards()) {
      try (Connection connection = sessions.open(shard, "test")) {
        ShardSchema.install(connection);
        ShardSchema.takeLease(connection, worker);
      }
    }
  }

  private ShardSessions sessions(Function<SandboxShard, String> url) {
    return new ShardSessions(
        "shop",
        shards.all().stream()
            .map(
                shard ->
                    new ShardAddress(
                        new ShardId(shard.name()),
                        url.apply(shard),
                        SandboxRole.RESHARD.user(),
                        SandboxRole.RESHARD.password()))
            .toList());
  }

  /** Those to one shard by way of a proxy. */
  ShardSessions sessionsThrough(TcpProxy proxy, ShardId id) {
    return sessions(
        shard ->
            shard.name().equals(id.name())
                ? "jdbc:postgresql://%s:%d/%s"
                    .formatted(proxy.host(), proxy.port(), shard.database())
                : shard.url());
  }

  SandboxShard shard(ShardId id) {
    return shards.get(id.name());
  }

  CopyPlan plan(Keyspace.ShardedTable... tables) throws SQLException {
    return plan(Map.of(), tables);
  }

  CopyPlan plan(Map<TableId, Set<ShardId>> references, Keyspace.ShardedTable... tables)
      throws SQLException {
    Keyspace keyspace =
        new Keyspace("shop", BUCKETS, Arrays.asList(tables), List.copyOf(references.keySet()));
    try (Connection connection = sessions.open(A, "test")) {
      return CopyPlan.read(connection, A, keyspace, MAP, MOVES, references);
    }
  }

  AnchorHolder anchor() throws SQLException, InterruptedException {
    return AnchorHolder.take(
        sessions, A, "copy_test", ReplicationSlots.Kind.TEMPORARY, Duration.ofSeconds(30));
  }

  ShardCopier copier() {
    return new ShardCopier(sessions, worker, OPTIONS, progress -> {}, () -> false);
  }

  CopyDestinations destinations() {
    return new CopyDestinations(sessions, worker);
  }

  CopyResult prepareAndCopy(CopyPlan plan) throws SQLException, InterruptedException {
    destinations().prepare(plan);
    try (AnchorHolder anchor = anchor()) {
      return copier().copy(plan, anchor);
    }
  }

  static Keyspace.ShardedTable table(String name, String key) {
    return new Keyspace.ShardedTable(new TableId("public", name), key);
  }

  /** The moving rows on the source against those on their destinations, value by value. */
  RowComparison compare(Keyspace.ShardedTable table) throws SQLException {
    return compare(table, RowSelection.of(shard(A), table.id().quoted()));
  }

  /** The same, but the source as the anchor shows it. */
  RowComparison compareAt(AnchorHolder anchor, Keyspace.ShardedTable table) throws SQLException {
    return compare(
        table, new RowSelection(() -> pinned(anchor.open("test")), table.id().quoted(), "true"));
  }

  private RowComparison compare(Keyspace.ShardedTable table, RowSelection source)
      throws SQLException {
    String key = TableId.quote(table.key());
    return RowComparer.withoutKey()
        .compare(
            List.of(source.where(BUCKETS.sqlIn(key, MOVING.get(B).plus(MOVING.get(C))))),
            List.of(
                RowSelection.of(shard(B), table.id().quoted())
                    .where(BUCKETS.sqlIn(key, MOVING.get(B))),
                RowSelection.of(shard(C), table.id().quoted())
                    .where(BUCKETS.sqlIn(key, MOVING.get(C)))));
  }

  /** The comparer sets up a transaction of its own; this one has begun, with the right snapshot. */
  private static Connection pinned(Connection begun) {
    return (Connection)
        Proxy.newProxyInstance(
            Connection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              if (method.getName().startsWith("setReadOnly")
                  || method.getName().startsWith("setTransactionIsolation")) {
                return null;
              }
              try {
                return method.invoke(begun, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Override
  public void close() throws SQLException {
    shards.close();
  }
}
