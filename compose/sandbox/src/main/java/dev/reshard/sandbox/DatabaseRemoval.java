package dev.reshard.sandbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Drops a database whatever still uses it: sessions, replication slots, prepared transactions.
 *
 * <p>A tested program may be reconnecting all the while, so new connections are refused first.
 * Confined to the calling thread.
 */
final class DatabaseRemoval {
  private static final Duration TIMEOUT = Duration.ofSeconds(15);

  /** Still in use, or a temporary slot that went with its session just now. */
  private static final Set<String> PASSING = Set.of("55006", "42704");

  private final SandboxPostgres server;
  private final String database;

  DatabaseRemoval(SandboxPostgres server, String database) {
    this.server = server;
    this.database = database;
  }

  void run() throws SQLException {
    try (Connection admin = server.superuserConnection("postgres");
        Statement statement = admin.createStatement()) {
      if (names(admin, "SELECT datname FROM pg_database WHERE datname = ?").isEmpty()) {
        return;
      }
      rollBackPrepared(admin);
      statement.execute("ALTER DATABASE %s ALLOW_CONNECTIONS false".formatted(database));
      Instant deadline = Instant.now().plus(TIMEOUT);
      while (true) {
        endSessions(admin);
        try {
          for (String slot : slots(admin)) {
            dropSlot(admin, slot);
          }
          statement.execute("DROP DATABASE %s WITH (FORCE)".formatted(database));
          return;
        } catch (SQLException e) {
          if (!PASSING.contains(e.getSQLState()) || Instant.now().isAfter(deadline)) {
            throw e;
          }
          Pause.milliseconds(20);
        }
      }
    }
  }

  /** A prepared transaction belongs to no session, and only its own database may end it. */
  private void rollBackPrepared(Connection admin) throws SQLException {
    List<String> prepared =
        names(admin, "SELECT format('%L', gid) FROM pg_prepared_xacts WHERE database = ?");
    if (prepared.isEmpty()) {
      return;
    }
    try (Connection inside = server.superuserConnection(database);
        Statement statement = inside.createStatement()) {
      for (String gid : prepared) {
        statement.execute("ROLLBACK PREPARED " + gid);
      }
    }
  }

  private void endSessions(Connection admin) throws SQLException {
    names(
        admin,
        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity"
            + " WHERE datname = ? AND pid <> pg_backend_pid()");
  }

  private List<String> slots(Connection admin) throws SQLException {
    return names(admin, "SELECT slot_name FROM pg_replication_slots WHERE database = ?");
  }

  private static void dropSlot(Connection admin, String slot) throws SQLException {
    try (PreparedStatement drop = admin.prepareStatement("SELECT pg_drop_replication_slot(?)")) {
      drop.setString(1, slot);
      drop.execute();
    }
  }

  private List<String> names(Connection admin, String query) throws SQLException {
    try (PreparedStatement statement = admin.prepareStatement(query)) {
      statement.setString(1, database);
      try (ResultSet rows = statement.executeQuery()) {
        List<String> names = new ArrayList<>();
        while (rows.next()) {
          names.add(rows.getString(1));
        }
        return names;
      }
    }
  }
}
