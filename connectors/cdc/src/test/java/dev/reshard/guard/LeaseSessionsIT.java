package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A worker that lost its lease and does not know it has no session on a shard any more. */
class LeaseSessionsIT {
  @Test
  void afterATakeoverTheOldWorkersSessionsAreGoneAndItGetsNoNewOnes() throws SQLException {
    try (GuardedShard a = GuardedShard.withOrders()) {
      ShardSessions old = under(a, a.worker);
      try (Connection before = old.open(GuardedShard.A, "prepare");
          Connection replication = old.openReplication(GuardedShard.A, "prepare")) {
        WorkerIdentity next = new WorkerIdentity("shop", 2, a.worker.marker());
        ShardSessions mine = under(a, next);
        try (Connection session = mine.open(GuardedShard.A, "prepare")) {
          assertTrue(session.isValid(5));
        }
        assertThrows(SQLException.class, () -> ReplicationSlots.drop(before, "reshard_shop_a"));
        assertThrows(
            SQLException.class,
            () ->
                ReplicationSlots.create(
                    replication,
                    GuardedShard.A,
                    "reshard_shop_a",
                    ReplicationSlots.Kind.PERMANENT));
        assertEquals("RS002", refused(() -> old.open(GuardedShard.A, "prepare")));
        assertEquals("RS002", refused(() -> old.openReplication(GuardedShard.A, "prepare")));
        assertEquals(List.of("0"), a.shard.query("SELECT count(*) FROM pg_replication_slots"));
        try (Connection again = mine.open(GuardedShard.A, "prepare")) {
          assertTrue(again.isValid(5));
        }
      }
    }
  }

  private static ShardSessions under(GuardedShard a, WorkerIdentity worker) {
    return a.sessions.underLease(worker, Set.of(GuardedShard.A), a.keyspace.partitioning());
  }

  private interface Opening {
    Connection open() throws SQLException;
  }

  private static String refused(Opening opening) {
    return assertThrows(SQLException.class, () -> opening.open().close()).getSQLState();
  }
}
