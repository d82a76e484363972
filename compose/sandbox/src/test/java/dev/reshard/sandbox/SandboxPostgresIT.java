package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A server of this test's own, because it is killed. */
class SandboxPostgresIT {
  private static SandboxPostgres server;
  private static SandboxShard shard;

  @BeforeAll
  static void start() throws SQLException {
    server = SandboxPostgres.start(Map.of("work_mem", "3MB"));
    shard = SandboxShard.create("a", server, "shop");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void commitsAreDurableAndLogicalReplicationIsOn() throws SQLException {
    assertEquals("on", setting("fsync"));
    assertEquals("on", setting("synchronous_commit"));
    assertEquals("on", setting("full_page_writes"));
    assertEquals("logical", setting("wal_level"));
  }

  @Test
  void extraSettingsReachTheServer() throws SQLException {
    assertEquals("3MB", setting("work_mem"));
  }

  @Test
  void committedRowsSurviveAKillAndOpenTransactionsDoNot() throws SQLException {
    shard.execute("CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (1)");
    try (Connection open = shard.connectAsOwner()) {
      open.setAutoCommit(false);
      try (Statement statement = open.createStatement()) {
        statement.execute("INSERT INTO kept VALUES (2)");
        server.kill();
        assertThrows(SQLException.class, open::commit);
      }
    }
    assertThrows(SQLException.class, () -> shard.query("SELECT 1"));
    int port = server.port();
    server.restart();
    assertEquals(port, server.port());
    assertEquals(List.of("1"), shard.query("SELECT id FROM kept"));
  }

  @Test
  void restartOfARunningServerKeepsItsRows() throws SQLException {
    shard.execute("CREATE TABLE stays (id int)", "INSERT INTO stays VALUES (7)");
    server.restart();
    assertEquals(List.of("7"), shard.query("SELECT id FROM stays"));
  }

  @Test
  void aWrongPasswordIsRefused() {
    SQLException refused =
        assertThrows(
            SQLException.class,
            () -> DriverManager.getConnection(shard.url(), SandboxRole.APP.user(), "wrong"));
    assertEquals("28P01", refused.getSQLState());
  }

  private static String setting(String name) throws SQLException {
    try (Connection connection = server.superuserConnection("postgres");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW " + name)) {
      row.next();
      return row.getString(1);
    }
  }
}
