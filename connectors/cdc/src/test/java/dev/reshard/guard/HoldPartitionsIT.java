package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.sandbox.SandboxRole;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Partitions that come and go while buckets are handed over (HAZARDS F6). */
class HoldPartitionsIT {
  private static final List<String> TABLES =
      List.of(
          "CREATE TABLE t (id bigint, day int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
          "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (2) PARTITION BY RANGE (id)",
          "CREATE TABLE t1a PARTITION OF t1 FOR VALUES FROM (0) TO (1000)",
          "CREATE TABLE t1b (id bigint, day int, PRIMARY KEY (id, day))");
  private static final String ATTACH =
      "ALTER TABLE t1 ATTACH PARTITION t1b FOR VALUES FROM (1000) TO (2000)";
  private static final Duration SHORT = Duration.ofMillis(100);

  @Test
  void nobodyAttachesWhileTheyAreHeldAndClientsGoOn() throws SQLException {
    try (GuardedShard a = GuardedShard.create(GuardedShard.A, TABLES, "t.id");
        Connection app = a.app();
        Connection owner = a.shard.connect(SandboxRole.SUPERUSER)) {
      a.arming().arm(a.ours, GuardedShard.A, GuardedShard.UNIT, 1);
      String before = a.guard.tables(a.ours);
      owner.setAutoCommit(false);
      GuardedShard.execute(owner, ATTACH);
      a.ours.setAutoCommit(false);
      SQLException busy =
          assertThrows(SQLException.class, () -> a.guard.holdPartitions(a.ours, SHORT));
      assertEquals("55P03", busy.getSQLState());
      a.ours.rollback();
      assertEquals(before, a.guard.tables(a.ours)); // read beside it, without a lock
      owner.rollback();

      a.guard.holdPartitions(a.ours, SHORT);
      GuardedShard.execute(app, "INSERT INTO t VALUES (3, 1)");
      GuardedShard.execute(owner, "SET LOCAL lock_timeout = 100");
      SQLException held =
          assertThrows(SQLException.class, () -> GuardedShard.execute(owner, ATTACH));
      assertEquals("55P03", held.getSQLState());
      owner.rollback();
      a.ours.rollback();
      GuardedShard.execute(owner, ATTACH);
      owner.commit();
      assertNotEquals(before, a.guard.tables(a.ours));
    }
  }
}
