package dev.reshard.postgres;

import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
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
          "array_nulls = on",
          "TimeZone = 'UTC'",
          "lc_monetary = 'C'",
          "xmloption = content",
          "standard_conforming_strings = on",
          // a guard waits by looking again and again
          "default_transaction_isolation = 'read committed'",
          // a worker whose host is gone must not hold its locks for the two hours of the default
          "tcp_keepalives_idle = 10",
          "tcp_keepalives_interval = 5",
          // no tcp_user_timeout: it also ends a session whose client leaves what it was sent unread
          // for a while, as a throttled copy does, and a capture while Kafka is away
          "tcp_keepalives_count = 3");

  private static final String PID_AND_TIME =
      "SELECT pg_catalog.pg_backend_pid(), (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000)::int8";

  /**
   * What a worker has noted it goes by after a crash; so it must be flushed wherever nothing else
   * is said. A server that does more than that by itself goes on doing it.
   */
  private static final String FLUSH =
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

  /**
   * How long the program waits for the answer to a statement that takes no time, such as a login,
   * before it takes the connection for broken. A network may swallow packets and tell nobody.
   */
  private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(10);

  private final String migration;
  private final IgnoredColumns ignored;
  private final Map<ShardId, ShardAddress> shards = new TreeMap<>();
  private final Map<ShardId, Lease> leases = new TreeMap<>();
  private final ServerClocks clocks = new ServerClocks();

  /**
   * Sessions of whoever only looks.
   *
   * @param migration stands in {@code application_name}, so that a DBA sees whose session it is
   */
  public ShardSessions(String migration, Collection<ShardAddress> shards) {
    this(migration, shards, Map.of());
  }

  /**
   * The same, for tables of which some columns are left out: {@link Catalog} does not see them.
   *
   * @param ignored names of columns, by their tables
   */
  public ShardSessions(
      String migration, Collection<ShardAddress> shards, Map<TableId, Set<String>> ignored) {
    this(migration, shards, new IgnoredColumns(ignored));
  }

  private ShardSessions(String migration, Collection<ShardAddress> shards, IgnoredColumns ignored) {
    this.migration = migration;
    this.ignored = ignored;
    shards.forEach(shard -> this.shards.put(shard.id(), shard));
  }

  /**
   * Sessions of a worker. The first one that it opens on one of these shards takes the shard over:
   * it makes what all packages need there, lets the shard refuse older workers, and ends the
   * sessions that they still have ({@link ShardSchema#endOthers}). A later one fails with SQLSTATE
   * {@code RS002} once another worker has taken the shard. So a worker that lost its lease and does
   * not know it has no session there, whatever it is about to do, also where no single statement
   * can carry the lease: making and dropping replication slots, publications, indexes. And a shard
   * that is away keeps nobody from going on with the others.
   *
   * @param under the shards that the migration changes
   */
  public ShardSessions underLease(
      WorkerIdentity worker, Set<ShardId> under, Partitioning partitioning) {
    ShardSessions sessions = new ShardSessions(migration, shards.values(), ignored);
    under.forEach(shard -> sessions.leases.put(shard, new Lease(worker, partitioning)));
    return sessions;
  }

  /** A worker's lease on one shard. */
  private static final class Lease {
    private final WorkerIdentity worker;
    private final Partitioning partitioning;
    private boolean taken;

    Lease(WorkerIdentity worker, Partitioning partitioning) {
      this.worker = worker;
      this.partitioning = partitioning;
    }
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

  /**
   * What a shard's clock shows now: to be compared with times that it has written. As exact as the
   * answer to the last session's first question was fast.
   */
  public Instant now(ShardId shard) {
    return clocks.now(shard);
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
    Connection connection = openBrief(shard, part);
    waitForEver(connection);
    return connection;
  }

  /** The same, for statements that take no time: one not answered within 10 s fails. */
  public Connection openBrief(ShardId shard, String part) throws SQLException {
    return open(shard, part, new Properties());
  }

  /** What tells a dead connection from a slow statement is left to TCP. */
  private static void waitForEver(Connection connection) throws SQLException {
    try {
      connection.setNetworkTimeout(Runnable::run, 0);
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /** A session that speaks the replication protocol as well as SQL (simple queries only). */
  public Connection openReplication(ShardId shard, String part) throws SQLException {
    Properties properties = new Properties();
    PGProperty.REPLICATION.set(properties, "database");
    PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
    Connection connection = open(shard, part, properties);
    waitForEver(connection);
    return connection;
  }

  private Connection open(ShardId shard, String part, Properties properties) throws SQLException {
    Lease lease = leases.get(shard);
    if (lease == null) {
      return ready(shard, connect(shard, part, properties));
    }
    takeOver(shard, lease);
    Connection connection = ready(shard, connect(shard, part, properties));
    try {
      ShardSchema.checkLease(connection, lease.worker);
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /** Before this worker has any other session there, as all but this one are ended. */
  private void takeOver(ShardId shard, Lease lease) throws SQLException {
    synchronized (lease) {
      if (lease.taken) {
        return;
      }
      try (Connection connection = ready(shard, connect(shard, "take over", new Properties()))) {
        ShardSchema.install(connection);
        ShardSchema.takeLease(connection, lease.worker);
        ShardSchema.install(connection, lease.partitioning);
        ShardSchema.endOthers(connection, migration);
      }
      lease.taken = true;
    }
  }

  /**
   * To be called when a worker has taken its lease away from a shard, as the last thing that it did
   * there: should it have to come back, it takes the shard over anew.
   */
  public void released(ShardId shard) {
    Lease lease = leases.get(shard);
    if (lease != null) {
      synchronized (lease) {
        lease.taken = false;
      }
    }
  }

  private Connection connect(ShardId shard, String part, Properties properties)
      throws SQLException {
    ShardAddress address = address(shard);
    properties.setProperty("user", address.user());
    properties.setProperty("password", address.password());
    PGProperty.APPLICATION_NAME.set(properties, applicationName(migration, part));
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.SOCKET_FACTORY.set(properties, KeptAliveSockets.class.getName());
    PGProperty.CONNECT_TIMEOUT.set(properties, Math.toIntExact(ANSWERS_WITHIN.toSeconds()));
    PGProperty.SOCKET_TIMEOUT.set(properties, Math.toIntExact(ANSWERS_WITHIN.toSeconds()));
    PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
    // a server's DETAIL and CONTEXT quote values of user rows
    PGProperty.LOG_SERVER_ERROR_DETAIL.set(properties, false);
    return DriverManager.getConnection(address.url(), properties);
  }

  static String applicationName(String migration, String part) {
    return "reshard %s %s".formatted(migration, part);
  }

  private Connection ready(ShardId shard, Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      refusePooler(shard, connection, statement);
      StringBuilder sql = new StringBuilder();
      SETTINGS.forEach(setting -> sql.append("SET ").append(setting).append(';'));
      if (connection.getMetaData().getDatabaseMajorVersion() >= 17) {
        sql.append("SET transaction_timeout = 0;");
      }
      sql.append(FLUSH);
      statement.execute(sql.toString());
      ignored.tell(connection);
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
  private void refusePooler(ShardId shard, Connection connection, Statement statement)
      throws SQLException {
    long asked = System.currentTimeMillis();
    try (ResultSet row = statement.executeQuery(PID_AND_TIME)) {
      row.next();
      clocks.answered(shard, asked, row.getLong(2), System.currentTimeMillis());
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
