package dev.reshard.control;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.sandbox.TcpProxy;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A control database on a real server. */
final class ControlScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final int BUCKETS = 16;

  private final SandboxShards shards = SharedSandbox.shards(1);
  private final List<ControlStore> stores = new ArrayList<>();
  private final List<WorkerLease> leases = new ArrayList<>();

  ControlScene() throws SQLException {}

  /** The store of a migration; the tables are there. */
  ControlStore store(String migration) throws SQLException {
    ControlStore store = new ControlStore(sessions(migration), A, migration);
    stores.add(store);
    store.install();
    return store;
  }

  WorkerLease lease(String migration) {
    WorkerLease lease = new WorkerLease(sessions(migration), A, migration);
    leases.add(lease);
    return lease;
  }

  /** A lease whose worker reaches the control database through a proxy; the caller closes it. */
  WorkerLease leaseThrough(TcpProxy proxy, String migration) {
    String url =
        "jdbc:postgresql://%s:%d/%s".formatted(proxy.host(), proxy.port(), control().database());
    return new WorkerLease(sessions(migration, url), A, migration);
  }

  /** As if its worker had died and {@link WorkerLease#TTL} had passed. */
  void runOut(String migration) throws SQLException {
    control()
        .executeAsSuperuser(
            "UPDATE reshard.worker SET expires = clock_timestamp() - interval '1 s' WHERE migration = '%s'"
                .formatted(migration));
  }

  SandboxShard control() {
    return shards.get("a");
  }

  static Moves moves(int... buckets) {
    return new Moves(List.of(new Move(A, B, BucketSet.of(buckets))));
  }

  private ShardSessions sessions(String migration) {
    return sessions(migration, control().url());
  }

  private static ShardSessions sessions(String migration, String url) {
    return new ShardSessions(
        migration,
        List.of(
            new ShardAddress(A, url, SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
  }

  @Override
  public void close() throws SQLException {
    for (WorkerLease lease : leases) {
      lease.close();
    }
    for (ControlStore store : stores) {
      store.close();
    }
    shards.close();
  }
}
