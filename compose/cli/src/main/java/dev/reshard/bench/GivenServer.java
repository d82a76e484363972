package dev.reshard.bench;

import dev.reshard.sandbox.SandboxPostgres;
import dev.reshard.sandbox.SandboxRole;
import java.net.URI;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A server that somebody else runs, reached as a superuser. It is neither killed nor stopped;
 * {@link #close} takes away what the bench made there. Thread-safe.
 */
final class GivenServer implements SandboxPostgres {
  /** What the bench's databases begin with. */
  static final String DATABASES = "reshard_bench_";

  private static final String ROLES =
      "'%s', '%s', '%s'"
          .formatted(SandboxRole.APP.user(), SandboxRole.RESHARD.user(), SandboxRole.OWNER);

  private final URI uri;

  /** Of the roles that log in; nobody else is to use them while they are there. */
  private final String password;

  private boolean isOurs;

  /** Connects to nothing yet. */
  GivenServer(URI uri, String password) {
    this.uri = uri;
    this.password = password;
  }

  /** A password that nobody knows. */
  static String newPassword() {
    byte[] random = new byte[16];
    new SecureRandom().nextBytes(random);
    return HexFormat.of().formatHex(random);
  }

  @Override
  public String host() {
    return uri.getHost();
  }

  @Override
  public int port() {
    return uri.getPort() < 0 ? 5432 : uri.getPort();
  }

  /** Why the bench cannot run there; empty if it can. Changes nothing. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    String where = host() + ":" + port();
    try (Connection session = DriverManager.getConnection("jdbc:" + uri);
        Statement statement = session.createStatement()) {
      if (!"on".equals(one(statement, "SHOW is_superuser"))) {
        problems.add(where + ": the login is no superuser");
      }
      if (!"logical".equals(one(statement, "SHOW wal_level"))) {
        problems.add(where + ": wal_level is not logical");
      }
      String there =
          one(
              statement,
              """
              SELECT string_agg(name, ', ') FROM (
                SELECT 'database ' || datname FROM pg_database WHERE datname LIKE '%s%%'
                UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname IN (%s)) t (name)"""
                  .formatted(DATABASES.replace("_", "\\_"), ROLES));
      if (there != null) {
        problems.add("%s: these are there already: %s; drop them first".formatted(where, there));
      }
    } catch (SQLException e) {
      problems.add(where + ": " + e.getMessage());
    }
    return problems;
  }

  /** From now on, what has the bench's names is the bench's. */
  void take() {
    isOurs = true;
  }

  /** Gives the new roles their password. */
  void secure() throws SQLException {
    try (Connection session = superuserConnection("postgres");
        Statement statement = session.createStatement()) {
      for (SandboxRole role : List.of(SandboxRole.APP, SandboxRole.RESHARD)) {
        statement.execute("ALTER ROLE %s PASSWORD '%s'".formatted(role.user(), password));
      }
    }
  }

  @Override
  public Connection superuserConnection(String database) throws SQLException {
    return DriverManager.getConnection(url(database) + "?" + uri.getQuery());
  }

  @Override
  public Connection connect(String database, SandboxRole role) throws SQLException {
    return role == SandboxRole.SUPERUSER
        ? superuserConnection(database)
        : DriverManager.getConnection(url(database), role.user(), password);
  }

  @Override
  public void kill() {
    throw new UnsupportedOperationException("not ours to kill: " + uri.getHost());
  }

  @Override
  public void restart() {
    throw new UnsupportedOperationException("not ours to restart: " + uri.getHost());
  }

  /** Drops the roles; the databases must be gone. Idempotent. */
  @Override
  public void close() {
    if (!isOurs) {
      return;
    }
    try (Connection session = superuserConnection("postgres");
        Statement statement = session.createStatement()) {
      List<String> roles = new ArrayList<>();
      try (ResultSet row =
          statement.executeQuery(
              "SELECT rolname FROM pg_roles WHERE rolname IN (%s)".formatted(ROLES))) {
        while (row.next()) {
          roles.add(row.getString(1));
        }
      }
      if (!roles.isEmpty()) {
        String all = String.join(", ", roles);
        statement.execute("DROP OWNED BY " + all); // also rights on settings
        statement.execute("DROP ROLE " + all);
      }
      isOurs = false;
    } catch (SQLException e) {
      throw new IllegalStateException(
          "roles %s could not be dropped on %s:%d: %s; drop them yourself"
              .formatted(ROLES, host(), port(), e.getMessage()),
          e);
    }
  }

  private static String one(Statement statement, String query) throws SQLException {
    try (ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getString(1);
    }
  }
}
