package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.sandbox.LastingAutovacuum;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A table with an autovacuum, which lasts for hours on a large one. */
@Timeout(120)
class StrongLockIT {
  private static final String ALTER = "ALTER TABLE busy REPLICA IDENTITY FULL";

  private SandboxShards shards;
  private SandboxShard shard;
  private LastingAutovacuum autovacuum;
  private Connection connection;

  @BeforeEach
  void beginAutovacuum() throws Exception {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.execute("CREATE TABLE busy (id int)", "CREATE INDEX busy_id ON busy (id)");
    autovacuum =
        LastingAutovacuum.of(
            shard, "busy", "INSERT INTO busy SELECT i FROM generate_series(1, 50000) i");
    connection = shard.connectAsOwner();
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
    autovacuum.close();
    shards.close();
  }

  @Test
  void aShortWaitDoesNotEndIt() throws Exception {
    try (Statement statement = connection.createStatement()) {
      SQLException refused =
          assertThrows(
              SQLException.class, () -> statement.execute("SET lock_timeout = '400ms'; " + ALTER));
      assertEquals("55P03", refused.getSQLState());
    }
    assertTrue(autovacuum.isRunning());
  }

  @Test
  void onATableThatOnlyWeUseItIsEnded() throws Exception {
    StrongLock.firmly(connection, ALTER);
    requireAltered();
  }

  /** Writers would queue behind who waits for it with the lock that ALTER TABLE needs. */
  @Test
  void onATableOfClientsItIsEndedAndNoWriterQueuesMeanwhile() throws Exception {
    CompletableFuture<Void> altering =
        CompletableFuture.runAsync(
            () -> assertDoesNotThrow(() -> StrongLock.politely(connection, "busy", ALTER)));
    boolean isSeen = false;
    while (!altering.isDone()) {
      List<String> waiting =
          shard.query(
              "SELECT mode FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted");
      isSeen |= waiting.equals(List.of("ShareUpdateExclusiveLock"));
      assertFalse(waiting.contains("AccessExclusiveLock"));
    }
    altering.get();
    assertTrue(isSeen);
    requireAltered();
  }

  @Test
  void anIndexIsDropped() throws Exception {
    StrongLock.alone(connection, "DROP INDEX CONCURRENTLY busy_id");
    assertEquals(
        List.of("0"),
        shard.query("SELECT count(*) FROM pg_index WHERE indrelid = 'busy'::regclass"));
  }

  private void requireAltered() throws SQLException {
    assertEquals(
        List.of("f"), shard.query("SELECT relreplident FROM pg_class WHERE relname = 'busy'"));
  }
}
