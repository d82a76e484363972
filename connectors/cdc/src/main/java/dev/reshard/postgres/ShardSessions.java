package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;

/**
 * Opens every session that the program has on a shard, all with the same pinned settings: none of
 * them may filter rows, time out by itself, or write a value in a form that does not cast back
 * exactly. Thread-safe; a session belongs to who opened it, who closes it.
 */
public final class ShardSessions {
  /** SQLSTATE of a session that a connection pooler stands in the way of. */
  public static final String POOLED = "RS009";

  /**
   * Why each is here: {@code row_security} off turns a silently filtered copy into an error
   * (HAZARDS F28); the timeouts would kill holders of snapshots (F20); the rest pins the text form
   * of values (F31).
   */
  private static final List<String> SETTINGS =
      List.of(
          "row_security = off",
          "statement_timeout = 0",
          "lock_timeout = 0",
          "idle_in_transaction_session_timeout = 0",
          "search_path = pg_catalog",
          "DateStyle = 'ISO, YMD'",
          "IntervalStyle = postgres",
          "extra_float_digits = 1",
          "bytea_output = hex",
          "TimeZone = 'UTC'",
          "lc_monetary = 'C'",
          "xmloption = content",
          "standard_conforming_strings = on");

  private final String migration;
  private final Map<ShardId, ShardAddress> shards = new TreeMap<>();
  private final WorkerIdentity worker;
  private final Set<ShardId> taken;

  /**
   * Sessions of whoever only looks.
   *
   * @param migration stands in {@code application_name}, so that a DBA sees whose session it is
   */
  public ShardSessions(String migration, Collection<ShardAddress> shards) {
    this(migration, shards, null, Set.of());
  }

  private ShardSessions(
      String migration,
      Collection<ShardAddress> shards,
      WorkerIdentity worker,
      Set<ShardId> taken) {
    this.migration = migration;
    shards.forEach(shard -> this.shards.put(shard.id(), shard));
    this.worker = worker;
    this.taken = Set.copyOf(taken);
  }

  /**
   * Sessions of a worker. On the shards that it has taken over, a new session fails with SQLSTATE
   * {@code RS002} once another worker has taken them; and whoever takes over ends the sessions
   * there are ({@link ShardSchema#endOthers}). So a worker that lost its lease and does not know it
   * has no session on them, whatever it is about to do, also where no single statement can carry
   * the lease: making and dropping replication slots, publications, indexes.
   *
   * @param taken the shards whose lease this worker has taken
   */
  public ShardSessions underLease(WorkerIdentity worker, Set<ShardId> taken) {
    return new ShardSessions(migration, shards.values(), worker, taken);
  }

  /**
   * @throws IllegalArgumentException if there is no such shard
   */
  public ShardAddress address(ShardId shard) {
    ShardAddress address = shards.get(shard);
    if (address == null) {
      throw new IllegalArgumentException("no shard " + shard + "; known: " + shards.keySet());
    }
    return address;
  }

  public Collection<ShardId> shards() {
    return shards.keySet();
  }

  /**
   * A session in autocommit.
   *
   * @param part which part of the program it serves, for {@code application_name}
   */
  public Connection open(ShardId shard, String part) throws SQLException {
    return ready(shard, connect(shard, part, new Properties()));
  }

  /** A session that speaks the replication protocol as well as SQL (simple queries only). */
  public Connection openReplication(ShardId shard, String part) throws SQLException {
    Properties properties = new Properties();
    PGProperty.REPLICATION.set(properties, "database");
    PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
    return ready(shard, connect(shard, part, properties));
  }

  private Connection connect(ShardId shard, String part, Properties properties)
      throws SQLException {
    ShardAddress address = address(shard);
    properties.setProperty("user", address.user());
    properties.setProperty("password", address.password());
    PGProperty.APPLICATION_NAME.set(properties, "reshard %s %s".formatted(migration, part));
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.CONNECT_TIMEOUT.set(properties, 10);
    PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
    // a server's DETAIL and CONTEXT quote values of user rows
    PGProperty.LOG_SERVER_ERROR_DETAIL.set(properties, false);
    return DriverManager.getConnection(address.url(), properties);
  }

  private Connection ready(ShardId shard, Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      refusePooler(connection, statement);
      StringBuilder sql = new StringBuilder();
      SETTINGS.forEach(setting -> sql.append("SET ").append(setting).append(';'));
      if (connection.getMetaData().getDatabaseMajorVersion() >= 17) {
        sql.append("SET transaction_timeout = 0;");
      }
      if (taken.contains(shard)) {
        sql.append(
            "SELECT reshard.check_lease('%s', %d)".formatted(worker.migration(), worker.lease()));
      }
      statement.execute(sql.toString());
      return connection;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /**
   * A pooler must answer cancel requests itself, so it names a process of its own at the start of a
   * session. Found out before anything is SET, as that would stay on the server's session for the
   * application that gets it next (HAZARDS F15).
   */
  private static void refusePooler(Connection connection, Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT pg_catalog.pg_backend_pid()")) {
      row.next();
      if (row.getInt(1) != pid(connection)) {
        throw new SQLException(
            "a connection pooler answers at this address: the session began as process %d and is served by %d; settings, snapshots and replication need a session of their own, so nothing was done"
                .formatted(pid(connection), row.getInt(1)),
            POOLED);
      }
    }
  }

  /** The server process of a session, to be looked up in {@code pg_stat_activity}. */
  public static int pid(Connection connection) throws SQLException {
    return connection.unwrap(PGConnection.class).getBackendPID();
  }
}
