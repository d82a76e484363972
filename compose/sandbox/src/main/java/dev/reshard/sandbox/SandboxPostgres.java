package dev.reshard.sandbox;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;

/**
 * One real PostgreSQL server, reached over loopback with passwords (scram-sha-256).
 *
 * <p>It runs with {@code wal_level=logical} and full durability; the rest of its settings are in
 * {@code PostgresSettings}. Thread-safe, except that {@link #kill}, {@link #restart} and {@link
 * #close} wait for each other.
 */
public interface SandboxPostgres extends AutoCloseable {
  /** Starts a server with the current {@linkplain SandboxEngine engine}. */
  static SandboxPostgres start() {
    return start(Map.of());
  }

  /**
   * Starts a server with the current {@linkplain SandboxEngine engine}.
   *
   * @param settings server settings by name, in {@code postgresql.conf}'s words; they override ours
   * @throws SandboxException if it does not answer in time; the message has the end of its log
   */
  static SandboxPostgres start(Map<String, String> settings) {
    return SandboxEngine.current().startPostgres(settings);
  }

  /**
   * As {@link #start(Map)}, of another major than the build's: for tests of the Maven profile
   * {@code matrix}, which has 15 to 18.
   *
   * @param major 15, say
   * @throws SandboxException also if the build has none of that major
   */
  static SandboxPostgres start(int major, Map<String, String> settings) {
    return SandboxEngine.current().startPostgres(major, settings);
  }

  String host();

  /** Stays the same over {@link #restart}. */
  int port();

  /** A JDBC URL without credentials. */
  default String url(String database) {
    return "jdbc:postgresql://%s:%d/%s".formatted(host(), port(), database);
  }

  default String superuser() {
    return SandboxRole.SUPERUSER.user();
  }

  /** A new session as superuser, for setting a scene; what is tested connects as a lesser role. */
  default Connection superuserConnection(String database) throws SQLException {
    return connect(database, SandboxRole.SUPERUSER);
  }

  /** A new session; the caller closes it. */
  default Connection connect(String database, SandboxRole role) throws SQLException {
    return DriverManager.getConnection(url(database), role.user(), role.password());
  }

  /** SIGKILL to the server and all of its processes. Does nothing to a server that is down. */
  void kill();

  /**
   * Starts the server again on the same data and port, after a fast shutdown if it is up. Returns
   * once recovery is over and it takes connections.
   *
   * @throws SandboxException if it does not answer in time
   */
  void restart();

  /** Stops the server and deletes its data. Idempotent. */
  @Override
  void close();
}
