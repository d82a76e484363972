package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.sandbox.TcpProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A network that swallows what is sent, and tells nobody. */
@Timeout(60)
class SilentNetworkIT {
  private static final ShardId A = new ShardId("a");

  private SandboxShards shards;
  private TcpProxy proxy;
  private ShardSessions sessions;

  @BeforeEach
  void start() throws SQLException {
    shards = SharedSandbox.shards(1);
    proxy = TcpProxy.to(shards.get("a").server());
    sessions =
        new ShardSessions(
            "silent",
            List.of(
                new ShardAddress(
                    A,
                    "jdbc:postgresql://%s:%d/%s"
                        .formatted(proxy.host(), proxy.port(), shards.get("a").database()),
                    SandboxRole.RESHARD.user(),
                    SandboxRole.RESHARD.password())));
  }

  @AfterEach
  void stop() throws SQLException {
    proxy.close();
    shards.close();
  }

  @Test
  void aLoginThatIsNotAnsweredFails() {
    proxy.stall();
    SQLException failure = assertThrows(SQLException.class, () -> sessions.open(A, "test"));
    assertTrue(SqlState.mayPass(failure), failure::toString);
  }

  @Test
  void aBriefStatementThatIsNotAnsweredFailsAndASlowOneDoesNot() throws Exception {
    try (Connection brief = sessions.openBrief(A, "test");
        Connection patient = sessions.open(A, "test")) {
      CompletableFuture<Void> slow =
          CompletableFuture.runAsync(
              () -> assertDoesNotThrow(() -> execute(patient, "SELECT pg_sleep(11)")));
      SQLException failure =
          assertThrows(SQLException.class, () -> execute(brief, "SELECT pg_sleep(60)"));
      assertTrue(SqlState.isBroken(failure), failure::toString);
      slow.get();
    }
  }

  @Test
  void aStatementWithABudgetThatIsNotAnsweredBreaksItsSessionAndTheNextOneHasAnother()
      throws SQLException {
    try (ShardConnections connections =
        new ShardConnections(sessions, "test", Duration.ofSeconds(2))) {
      execute(connections.on(A), "SELECT pg_sleep(1)");
      proxy.forget(); // a firewall that has lost its memory
      long start = System.nanoTime();
      SQLException failure =
          assertThrows(SQLException.class, () -> execute(connections.on(A), "SELECT 1"));
      assertTrue(SqlState.isBroken(failure), failure::toString);
      assertTrue(System.nanoTime() - start < 4_000_000_000L);
      execute(connections.on(A), "SELECT 1");
    }
  }

  /**
   * Linux tells of each connection which timer runs, and when it ends in hundredths of a second.
   */
  @Test
  void aSilentSessionIsProbedWithinTenSeconds() throws SQLException, IOException {
    Path table = Path.of("/proc/net/tcp");
    assumeTrue(Files.isReadable(table), "only Linux tells");
    try (Connection connection = sessions.open(A, "test")) {
      assertTrue(connection.isValid(0));
      String peer = " 0100007F:%04X 01 ".formatted(proxy.port());
      String all = Files.readString(table) + Files.readString(Path.of("/proc/net/tcp6"));
      List<String> timers =
          all.lines()
              .filter(line -> line.replace("0000000000000000FFFF0000", "").contains(peer))
              .map(line -> line.trim().split(" +", -1)[5])
              .toList();
      assertEquals(1, timers.size(), all);
      String[] timer = timers.get(0).split(":", -1);
      assertEquals("02", timer[0], "keepalive");
      assertTrue(Integer.parseInt(timer[1], 16) <= 1_000, timers::toString);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
