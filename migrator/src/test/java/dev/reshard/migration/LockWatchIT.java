package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.LockWait;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.schema.StrongLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A transaction that a client left open. */
@Timeout(60)
class LockWatchIT {
  private static final ShardId A = new ShardId("a");
  private static final String ALTER = "ALTER TABLE public.t REPLICA IDENTITY FULL";

  private SandboxShards shards;
  private SandboxShard shard;
  private ShardSessions sessions;
  private Connection left;
  private LockWatch watch;

  @BeforeEach
  void leaveOneOpen() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.execute("CREATE TABLE t (id int)");
    sessions =
        new ShardSessions(
            "shop",
            List.of(
                new ShardAddress(
                    A, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
    left = shard.connect(SandboxRole.APP);
    left.setAutoCommit(false);
    watch = new LockWatch("shop", sessions, Set.of(A));
  }

  @AfterEach
  void close() throws SQLException {
    watch.close();
    left.close();
    shards.close();
  }

  /** It is tried for a moment, again and again: at most of our looks nobody waits. */
  @Test
  @Tag("matrix")
  void whoIsInTheWayOfAnAlteredTableIsNamedUntilItHasEnded() throws Exception {
    int pid = leftOpen();
    try (Connection ours = sessions.open(A, "row keys")) {
      CompletableFuture<Void> altering = altering(ours);
      watch.start();
      String told = awaitTrouble();
      assertTrue(told.startsWith("shard a: our session for 'row keys' has waited "), told);
      assertTrue(told.contains("in its way: pid %d (user app, ".formatted(pid)), told);
      assertTrue(told.contains(", idle in transaction, transaction since "), told);
      left.rollback();
      altering.get();
      while (watch.trouble().isPresent()) {
        Thread.sleep(50);
      }
    }
  }

  @Test
  void whoIsInTheWayOfAnIndexIsNamed() throws Exception {
    int pid = leftOpen();
    try (Connection ours = sessions.open(A, "row keys");
        Statement statement = ours.createStatement()) {
      CompletableFuture<Void> building =
          CompletableFuture.runAsync(
              () ->
                  assertDoesNotThrow(
                      () -> statement.execute("CREATE INDEX CONCURRENTLY ON public.t (id)")));
      watch.start();
      assertTrue(awaitTrouble().contains("pid %d (user app, ".formatted(pid)));
      left.rollback();
      building.get();
    }
  }

  @Test
  void ourOwnSessionsAreNotInTheWayOfEachOther() throws Exception {
    left.rollback();
    try (Connection ours = sessions.open(A, "copy");
        Statement statement = ours.createStatement();
        Connection other = sessions.open(A, "row keys");
        Connection looks = sessions.open(A, "locks")) {
      ours.setAutoCommit(false);
      statement.execute("LOCK TABLE public.t IN ACCESS SHARE MODE");
      int waiting = ShardSessions.pid(other);
      CompletableFuture<Void> altering = altering(other);
      awaitWaiting(waiting);
      assertEquals(List.of(), LockWait.of(looks, "shop"));
      ours.rollback();
      altering.get();
    }
  }

  private int leftOpen() throws SQLException {
    try (Statement statement = left.createStatement()) {
      statement.execute("INSERT INTO t VALUES (1)");
    }
    return ShardSessions.pid(left);
  }

  private static CompletableFuture<Void> altering(Connection connection) {
    return CompletableFuture.runAsync(
        () -> assertDoesNotThrow(() -> StrongLock.politely(connection, ALTER)));
  }

  private String awaitTrouble() throws InterruptedException {
    Optional<String> trouble = watch.trouble();
    while (trouble.isEmpty()) {
      Thread.sleep(50);
      trouble = watch.trouble();
    }
    return trouble.get();
  }

  private void awaitWaiting(int pid) throws Exception {
    while (!shard
        .query("SELECT wait_event_type FROM pg_stat_activity WHERE pid = " + pid)
        .equals(List.of("Lock"))) {
      Thread.sleep(5);
    }
  }
}
