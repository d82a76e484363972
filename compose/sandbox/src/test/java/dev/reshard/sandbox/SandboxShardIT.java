package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;

class SandboxShardIT {
  private static final String NO_RIGHT = "42501";

  private SandboxShards shards;
  private SandboxShard a;

  @BeforeEach
  void create() throws SQLException {
    shards = SharedSandbox.shards(2);
    a = shards.get("a");
    a.execute("CREATE TABLE orders (id bigint PRIMARY KEY, note text)");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.drop();
  }

  @Test
  void eachShardIsOnItsOwnServerAndEachTestHasItsOwnDatabases() throws SQLException {
    SandboxShard b = shards.get("b");
    assertNotEquals(a.server().port(), b.server().port());
    try (SandboxShards others = SharedSandbox.freshShards("b")) {
      assertEquals(b.server().port(), others.get("b").server().port());
      assertNotEquals(b.database(), others.get("b").database());
    }
  }

  @Test
  void tablesBelongToTheOwnerRole() throws SQLException {
    assertEquals(
        List.of("app_owner"),
        a.query("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"));
  }

  @Test
  void theApplicationReadsAndWritesRowsAndOwnsNothing() throws SQLException {
    try (Connection app = a.connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      statement.execute("INSERT INTO orders VALUES (1, 'x')");
      statement.execute("UPDATE orders SET note = 'y'");
      statement.execute("DELETE FROM orders");
      assertRefused(statement, "ALTER TABLE orders ADD COLUMN more text");
      assertRefused(statement, "CREATE TABLE mine (id int)");
      assertRefused(statement, "SET session_replication_role = replica");
    }
  }

  @Test
  void theApplicationUsesSchemasThatTheShardMade() throws SQLException {
    a.createSchema("sales");
    a.execute("CREATE TABLE sales.items (id bigserial PRIMARY KEY)");
    try (Connection app = a.connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      statement.execute("INSERT INTO sales.items DEFAULT VALUES");
    }
    assertEquals(List.of("1"), a.query("SELECT id FROM sales.items"));
  }

  @Test
  void reshardIsNoSuperuserAndHasNoAttributeButReplication() throws SQLException {
    assertEquals(
        List.of("(reshard,f,t,f,f,t,f)"),
        a.query(
            """
            SELECT (rolname, rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication,
              rolbypassrls)::text FROM pg_roles WHERE rolname = 'reshard'"""));
    assertEquals(
        List.of("app_owner", "pg_monitor", "pg_signal_backend"),
        a.query(
            """
            SELECT roleid::regrole::text FROM pg_auth_members
            WHERE member = 'reshard'::regrole ORDER BY 1"""));
    assertEquals(
        List.of("session_replication_role"),
        a.query("SELECT parname FROM pg_parameter_acl WHERE paracl::text LIKE '%reshard=s/%'"));
  }

  @Test
  void reshardMayDoWhatAMigrationDoes() throws SQLException {
    try (Connection reshard = a.connect(SandboxRole.RESHARD);
        Statement statement = reshard.createStatement()) {
      statement.execute("SET session_replication_role = replica");
      statement.execute("CREATE SCHEMA reshard");
      statement.execute("ALTER TABLE orders REPLICA IDENTITY FULL");
      statement.execute("CREATE PUBLICATION reshard_orders FOR TABLE orders");
      statement.execute(
          "CREATE FUNCTION reshard.pass() RETURNS trigger LANGUAGE plpgsql"
              + " AS 'BEGIN RETURN NEW; END'");
      statement.execute(
          "CREATE TRIGGER fence BEFORE INSERT ON orders"
              + " FOR EACH ROW EXECUTE FUNCTION reshard.pass()");
      statement.execute("INSERT INTO orders VALUES (1, 'x')");
    }
  }

  @Test
  void reshardSeesWhenTransactionsOfOthersBegan() throws SQLException {
    try (Connection app = a.connect(SandboxRole.APP);
        Connection reshard = a.connect(SandboxRole.RESHARD);
        Statement appStatement = app.createStatement();
        Statement statement = reshard.createStatement()) {
      app.setAutoCommit(false);
      appStatement.execute("SELECT 1");
      try (ResultSet row =
          statement.executeQuery(
              "SELECT count(xact_start) FROM pg_stat_activity"
                  + " WHERE usename = 'app' AND datname = current_database()")) {
        row.next();
        assertEquals(1, row.getInt(1));
      }
      app.rollback();
    }
  }

  @Test
  void reshardMayNotDoWhatOnlyASuperuserMay() throws SQLException {
    try (Connection reshard = a.connect(SandboxRole.RESHARD);
        Statement statement = reshard.createStatement()) {
      assertRefused(statement, "SELECT * FROM pg_authid");
      assertRefused(statement, "CREATE PUBLICATION everything FOR ALL TABLES");
      assertRefused(statement, "ALTER SYSTEM SET work_mem = '5MB'");
      assertRefused(statement, "CREATE DATABASE another");
      assertRefused(statement, "CREATE ROLE another");
      assertRefused(statement, "COPY orders TO PROGRAM 'true'");
      assertRefused(statement, "SET ROLE app");
    }
  }

  @Test
  void reshardCreatesAReplicationSlotOverAReplicationConnection() throws SQLException {
    try (Connection replication = replicationConnection()) {
      createSlot(replication, "reshard_test");
      assertEquals(
          List.of("reshard_test"),
          a.query(
              "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"));
    }
  }

  @Test
  void dropEndsSessionsReplicationSlotsAndPreparedTransactions() throws SQLException {
    String slot = "left_by_" + a.database();
    try (Connection replication = replicationConnection();
        Connection session = a.connectAsOwner();
        Statement statement = session.createStatement()) {
      createSlot(replication, slot);
      session.setAutoCommit(false);
      statement.execute("INSERT INTO orders VALUES (1, 'x')");
      statement.execute("PREPARE TRANSACTION '" + slot + "'");
      statement.execute("SELECT 1");
      a.drop();
      assertFalse(session.isValid(1));
    }
    try (Connection admin = a.server().superuserConnection("postgres");
        Statement statement = admin.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s')
                  + (SELECT count(*) FROM pg_prepared_xacts WHERE gid = '%1$s')
                  + (SELECT count(*) FROM pg_database WHERE datname = '%s')"""
                    .formatted(slot, a.database()))) {
      row.next();
      assertEquals(0, row.getInt(1));
    }
    a.drop();
  }

  private Connection replicationConnection() throws SQLException {
    Properties properties = new Properties();
    PGProperty.USER.set(properties, SandboxRole.RESHARD.user());
    PGProperty.PASSWORD.set(properties, SandboxRole.RESHARD.password());
    PGProperty.REPLICATION.set(properties, "database");
    PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "15");
    PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
    return DriverManager.getConnection(a.url(), properties);
  }

  private static void createSlot(Connection replication, String name) throws SQLException {
    replication
        .unwrap(PGConnection.class)
        .getReplicationAPI()
        .createReplicationSlot()
        .logical()
        .withSlotName(name)
        .withOutputPlugin("pgoutput")
        .make();
  }

  private static void assertRefused(Statement statement, String sql) {
    SQLException refused =
        assertThrows(SQLException.class, () -> statement.execute(sql), () -> "allowed: " + sql);
    assertEquals(NO_RIGHT, refused.getSQLState(), () -> sql + ": " + refused.getMessage());
  }
}
