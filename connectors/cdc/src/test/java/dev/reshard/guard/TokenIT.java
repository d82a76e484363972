package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class TokenIT {
  /** HAZARDS F22: the walsender sends only what is flushed. */
  @Test
  void aTokenIsFlushedEvenWhereCommitsAreNot() throws SQLException {
    try (GuardedShard a = GuardedShard.withOrders();
        CommitOrder order = CommitOrder.from(a.shard)) {
      execute(a.ours, "SET synchronous_commit = off");
      a.fence(1);
      Lsn token = Guard.emitToken(a.ours, "shop all/a 1");
      Lsn flushed = Lsn.parse(a.shard.query("SELECT pg_current_wal_flush_lsn()").get(0));
      assertTrue(flushed.isAfter(token), flushed + " is not after " + token);
      assertEquals(
          new CommitOrder.Entry(Marker.FENCE, "shop all/a 1", BucketSet.empty()),
          order.read().get(0));
    }
  }

  /** HAZARDS F16, F17: what the receiver is opened for must not be lost in a crash of the owner. */
  @Test
  void aSealIsFlushedEvenWhereCommitsAreNot() throws SQLException {
    try (GuardedShard a = GuardedShard.withOrders()) {
      execute(a.ours, "SET synchronous_commit = off");
      a.fence(1);
      assertTrue(a.guard.seal(a.ours, 1, 2));
      a.shard.server().kill();
      a.shard.server().restart();
      try (var ours = a.sessions.open(GuardedShard.A, "guard");
          var app = a.app()) {
        assertEquals(GuardState.Kind.CLOSED, a.guard.state(ours).orElseThrow().kind());
        assertEquals(
            Guard.REFUSED_WRITE,
            GuardedShard.outcome(app, "UPDATE orders SET note = '' WHERE customer = 1"));
      }
    }
  }
}
