package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HAZARDS F20: a snapshot that all sessions share, on a server with others on it. */
@Timeout(60)
class AnchorHolderIT {
  private static final ShardId A = new ShardId("a");
  private static final String SLOT = "anchor_test";

  private SandboxShards shards;
  private SandboxShard a;
  private ShardSessions sessions;

  @BeforeEach
  void startShard() throws SQLException {
    shards = SharedSandbox.shards(1);
    a = shards.get("a");
    sessions =
        new ShardSessions(
            "shop",
            List.of(
                new ShardAddress(
                    A, a.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
    a.execute("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)");
  }

  @AfterEach
  void dropShard() throws SQLException {
    shards.close();
  }

  @Test
  void aPermanentSlotStaysAndEverySessionSeesItsPosition() throws Exception {
    try (AnchorHolder holder = take(ReplicationSlots.Kind.PERMANENT)) {
      a.execute("INSERT INTO t VALUES (2)", "DELETE FROM t WHERE id = 1");
      try (Connection first = holder.open("test");
          Connection second = holder.open("test")) {
        assertEquals("1", ids(first));
        assertEquals("1", ids(second));
      }
      try (Connection connection = sessions.open(A, "test")) {
        ReplicationSlots.Slot slot = ReplicationSlots.find(connection, SLOT).orElseThrow();
        assertEquals(holder.anchor().position(), slot.confirmed());
        assertFalse(slot.active());
      }
    }
  }

  @Test
  void aTemporarySlotIsGoneButItsSnapshotIsNot() throws Exception {
    try (AnchorHolder holder = take(ReplicationSlots.Kind.TEMPORARY)) {
      assertEquals(List.of("0"), slots());
      a.execute("INSERT INTO t VALUES (2)");
      try (Connection session = holder.open("test")) {
        assertEquals("1", ids(session));
      }
    }
  }

  @Test
  void namesWhoIsInTheWayAndLeavesNoSlot() throws Exception {
    try (Connection app = a.connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      app.setAutoCommit(false);
      statement.execute("INSERT INTO t VALUES (3)");
      SQLTimeoutException refused =
          assertThrows(
              SQLTimeoutException.class,
              () ->
                  AnchorHolder.take(
                      sessions, A, SLOT, ReplicationSlots.Kind.PERMANENT, Duration.ofSeconds(1)));
      assertTrue(
          refused.getMessage().contains("pid " + ShardSessions.pid(app) + " (user app"),
          refused.getMessage());
      assertEquals(List.of("0"), slots());
      app.rollback();
    }
    take(ReplicationSlots.Kind.PERMANENT).close();
    assertEquals(List.of("1"), slots());
  }

  /**
   * The server waits twice, each time for what was running when it began to; whatever runs then,
   * and is older than the last commit, is in the snapshot, where there is no room for so many.
   */
  @Test
  void aSnapshotThatIsTooLargeForItsServerIsTriedAgain() throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (Connection first = a.connect(SandboxRole.APP);
        Connection second = a.connect(SandboxRole.APP);
        Connection large = a.connect(SandboxRole.APP);
        Connection last = a.connect(SandboxRole.APP)) {
      write(first, 1);
      Future<AnchorHolder> taken = thread.submit(() -> take(ReplicationSlots.Kind.TEMPORARY));
      String maker = awaitWhoWaitsFor(first);
      write(second, 1);
      first.rollback();
      assertEquals(maker, awaitWhoWaitsFor(second));
      write(large, 2_000);
      write(last, 1);
      last.commit();
      second.rollback();
      assertNotEquals(maker, awaitWhoWaitsFor(large), "the same try");
      large.rollback();
      taken.get(30, TimeUnit.SECONDS).close();
    } finally {
      thread.shutdownNow();
    }
    assertEquals(List.of("0"), slots());
  }

  /** Begins a transaction that writes behind so many savepoints. */
  private static void write(Connection app, int savepoints) throws SQLException {
    app.setAutoCommit(false);
    try (Statement statement = app.createStatement()) {
      statement.execute(
          """
          DO $$BEGIN
            FOR i IN 1..%d LOOP
              BEGIN INSERT INTO t VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END;
            END LOOP;
          END$$"""
              .formatted(savepoints));
    }
  }

  /** The process that makes a replication slot and waits for that session's transaction. */
  private String awaitWhoWaitsFor(Connection app) throws Exception {
    String waiting =
        "SELECT pid FROM pg_locks WHERE NOT granted AND %d = ANY (pg_blocking_pids(pid))"
            .formatted(ShardSessions.pid(app));
    List<String> pids = a.query(waiting);
    while (pids.isEmpty()) {
      Thread.sleep(10); // between two looks
      pids = a.query(waiting);
    }
    return pids.get(0);
  }

  @Test
  void saysThatTheSnapshotIsGoneWhenItsHolderIs() throws Exception {
    AnchorHolder holder = take(ReplicationSlots.Kind.TEMPORARY);
    holder.close();
    SQLException gone = assertThrows(SQLException.class, () -> holder.open("test"));
    assertEquals(AnchorHolder.SNAPSHOT_GONE, gone.getSQLState());
  }

  private AnchorHolder take(ReplicationSlots.Kind kind) throws Exception {
    return AnchorHolder.take(sessions, A, SLOT, kind, Duration.ofSeconds(30));
  }

  private List<String> slots() throws SQLException {
    return a.query("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()");
  }

  private static String ids(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT string_agg(id::text, ',' ORDER BY id) FROM public.t")) {
      row.next();
      return row.getString(1);
    }
  }
}
