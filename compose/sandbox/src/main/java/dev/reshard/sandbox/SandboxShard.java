package dev.reshard.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * One database on a sandbox server, with the rights that Reshard and an application have on a
 * user's shard: the tables belong to {@value SandboxRole#OWNER}, {@link SandboxRole#APP} may read
 * and write their rows, {@link SandboxRole#RESHARD} has its documented rights.
 *
 * <p>Thread-safe.
 */
public final class SandboxShard implements AutoCloseable {
  private final String name;
  private final String database;
  private final SandboxPostgres server;

  private SandboxShard(String name, String database, SandboxPostgres server) {
    this.name = name;
    this.database = database;
    this.server = server;
  }

  /**
   * Creates the database, and the roles if the server has none yet.
   *
   * @param name the shard's name, as a migration calls it
   * @param database the new database's name; not quoted, so a plain lower-case word
   * @throws SQLException if the database exists
   */
  public static SandboxShard create(String name, SandboxPostgres server, String database)
      throws SQLException {
    if (!database.matches("[a-z][a-z0-9_]*")) {
      throw new IllegalArgumentException("not a plain database name: " + database);
    }
    SandboxShard shard = new SandboxShard(name, database, server);
    try (Connection connection = server.superuserConnection("postgres");
        Statement statement = connection.createStatement()) {
      createRoles(statement);
      statement.execute("CREATE DATABASE " + database);
    }
    shard.executeAsSuperuser(script("database.sql"));
    return shard;
  }

  /** What a migration calls it: a, b, c, ... */
  public String name() {
    return name;
  }

  public String database() {
    return database;
  }

  public SandboxPostgres server() {
    return server;
  }

  /** A JDBC URL without credentials. */
  public String url() {
    return server.url(database);
  }

  /** A new session; the caller closes it. */
  public Connection connect(SandboxRole role) throws SQLException {
    return server.connect(database, role);
  }

  /** A new session that creates tables as their future owner; the caller closes it. */
  public Connection connectAsOwner() throws SQLException {
    Connection connection = connect(SandboxRole.SUPERUSER);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET ROLE " + SandboxRole.OWNER);
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /** Runs statements as {@value SandboxRole#OWNER}, each in a transaction of its own. */
  public void execute(String... statements) throws SQLException {
    try (Connection connection = connectAsOwner()) {
      runAll(connection, statements);
    }
  }

  /** Runs statements as superuser, each in a transaction of its own. */
  public void executeAsSuperuser(String... statements) throws SQLException {
    try (Connection connection = connect(SandboxRole.SUPERUSER)) {
      runAll(connection, statements);
    }
  }

  /**
   * Creates a schema for the application. Its owner may not do that by itself: a right of its own
   * on the database would be Reshard's too.
   */
  public void createSchema(String schema) throws SQLException {
    executeAsSuperuser(
        "CREATE SCHEMA %s AUTHORIZATION %s".formatted(schema, SandboxRole.OWNER),
        "GRANT USAGE ON SCHEMA %s TO %s".formatted(schema, SandboxRole.APP.user()));
  }

  /** The first column of a query's rows as text, run as superuser; null stays null. */
  public List<String> query(String sql) throws SQLException {
    try (Connection connection = connect(SandboxRole.SUPERUSER);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> values = new ArrayList<>();
      while (rows.next()) {
        values.add(rows.getString(1));
      }
      return values;
    }
  }

  /**
   * Ends the database's sessions, drops its replication slots and then the database, if it exists.
   *
   * @throws SQLException also if a session or replication slot cannot be got rid of in time
   */
  public void drop() throws SQLException {
    new DatabaseRemoval(server, database).run();
  }

  /** As {@link #drop}. */
  @Override
  public void close() throws SQLException {
    drop();
  }

  @Override
  public String toString() {
    return "%s (%s)".formatted(name, url());
  }

  /** One at a time: two tests may be the first on one server. */
  private static synchronized void createRoles(Statement statement) throws SQLException {
    if (!hasRoles(statement)) {
      statement.execute(script("roles.sql"));
    }
  }

  private static boolean hasRoles(Statement statement) throws SQLException {
    try (ResultSet found =
        statement.executeQuery(
            "SELECT 1 FROM pg_roles WHERE rolname = '%s'".formatted(SandboxRole.OWNER))) {
      return found.next();
    }
  }

  private static void runAll(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private static String script(String name) {
    try (InputStream in = SandboxShard.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name, e);
    }
  }
}
