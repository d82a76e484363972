package dev.reshard.guard;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The guard of one unit, as a worker calls it on any of the unit's shards. Every call is one round
 * trip. Immutable; a call is confined to the thread of its connection.
 *
 * <pre>
 *          fence             seal
 *   OPEN ---------> FENCED ---------> CLOSED      a source begins OPEN, a destination CLOSED
 *    ^  <---------  (until)             |
 *    |     lift                         |
 *    +-------------- open --------------+
 * </pre>
 *
 * <p>Calls that change a guard hold the lock of the unit's row until their transaction ends, and
 * fail, having changed nothing, with SQLSTATE {@code RS002} if another worker holds the lease,
 * {@code RS003} if the attempt is void (a higher one was seen here, by {@link #claim} or otherwise)
 * or used up, {@code RS004} if the guard is not armed or in a state that the call does not start
 * from.
 *
 * <p>They may stand in a transaction with statements of the caller. But what the triggers read does
 * not roll back: after {@link #seal} or {@link #open} has run, the guard is closed or open even if
 * the transaction fails, so put it last, and let recovery repeat what else was in it. Such a
 * transaction is ended by the server when its client pauses in it for 2 s.
 */
public final class Guard {
  /** The server accepts no write of a bucket here; the message's DETAIL says why, as JSON. */
  public static final String REFUSED_WRITE = "RS001";

  /** The attempt is void on the shard, or was used before. */
  public static final String VOID_ATTEMPT = "RS003";

  /** The guard is not in the state that the call starts from. */
  public static final String WRONG_STATE = "RS004";

  /** Of the catalog alone: pg_partition_tree would lock what it lists. */
  private static final String TREE =
      """
      WITH RECURSIVE tree(relid, level) AS (
        SELECT r.root, 0 FROM reshard.guard g CROSS JOIN LATERAL unnest(g.tables) r(root)
         WHERE g.migration = ? AND g.unit = ?
        UNION
        SELECT i.inhrelid, level + 1 FROM tree JOIN pg_inherits i ON i.inhparent = tree.relid)
      """;

  private static final String TABLES =
      TREE
          + """
      SELECT md5(string_agg(part, ';' ORDER BY part COLLATE "C")) FROM (
        SELECT concat_ws(' ', c.oid, c.relname, c.relnamespace, c.relfilenode, c.relpersistence)
          FROM tree JOIN pg_class c ON c.oid = tree.relid
        UNION ALL
        SELECT concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
                 a.attgenerated, a.attidentity, a.attcollation, a.attisdropped)
          FROM tree JOIN pg_attribute a ON a.attrelid = tree.relid AND a.attnum > 0
        UNION ALL
        SELECT concat_ws(' ', 'in', h.inhparent, h.inhrelid, h.inhdetachpending)
          FROM tree JOIN pg_inherits h ON h.inhparent = tree.relid) parts(part)""";

  /** Parents before children, as who attaches to one locks them. */
  private static final String PARTITIONED =
      TREE
          + """
      SELECT c.oid::regclass::text FROM tree
        JOIN pg_class c ON c.oid = tree.relid
       WHERE c.relkind = 'p' AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
       ORDER BY level, c.oid""";

  /** Half the default deadlock_timeout: the server is not to end who waits for us. */
  private static final long LONGEST_LOCK_WAIT_MS = 500;

  private static final long FOR_EVER = Long.MAX_VALUE;

  private final Unit unit;
  private final WorkerIdentity worker;

  public Guard(Unit unit, WorkerIdentity worker) {
    this.unit = unit;
    this.worker = worker;
  }

  /** Makes tables and functions of this package on a shard; repeatable. */
  public static void install(Connection connection) throws SQLException {
    ShardSchema.install(connection);
    ShardSchema.install(connection, Guard.class, "guard.sql");
  }

  /**
   * Makes the shard refuse lower attempts from now on, durably; nothing else changes.
   *
   * @param attempt at least the highest that was seen here
   */
  public void claim(Connection connection, long attempt) throws SQLException {
    call(connection, "guard_claim", attempt);
  }

  /**
   * Refuses application writes to the unit's buckets for a while: {@code RS001}, state WAIT.
   *
   * @param attempt one that has not fenced here before
   * @param budget after it writes pass again by themselves, and this attempt can seal only if none
   *     came
   * @return when that is, by the shard's clock
   */
  public Instant fence(Connection connection, long attempt, Duration budget) throws SQLException {
    return Instant.ofEpochMilli(call(connection, "guard_fence", attempt, budget.toMillis()));
  }

  /**
   * Waits for the transactions that may have written to the unit's tables before they could see the
   * fence, prepared ones too. Call it after {@link #fence}, in autocommit: each look needs a new
   * snapshot.
   *
   * @return who is left after {@code timeout}; empty: every later write has seen the fence
   */
  public List<Writer> waitForWriters(Connection connection, Duration timeout) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT * FROM reshard.guard_wait(?, ?, ?)")) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      statement.setLong(3, timeout.toMillis());
      return writers(statement);
    }
  }

  /**
   * Puts a token into the shard's WAL, as a transactional logical message ({@link
   * dev.reshard.postgres.Marker#FENCE}) in a transaction of its own that is flushed when this
   * returns, and everything committed before it too. In autocommit only.
   *
   * @return where the message is; its commit ends later
   */
  public static Lsn emitToken(Connection connection, String token) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT reshard.guard_token(?)::text")) {
      statement.setString(1, token);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return Lsn.parse(row.getString(1));
      }
    }
  }

  /**
   * Waits until every physical standby that streams from a shard has flushed what the shard has
   * flushed by now (HAZARDS F18). In autocommit only.
   *
   * @return who has not after {@code timeout}: a failover to one of them could lose it
   */
  public static List<String> awaitStandbys(Connection connection, Duration timeout)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT reshard.guard_await_standbys(?)")) {
      statement.setLong(1, timeout.toMillis());
      List<String> behind = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          behind.add(row.getString(1));
        }
      }
      return behind;
    }
  }

  /**
   * Decides: closes the fenced guard for good, unless an application's write got through after the
   * fence ran out. Repeatable by the same attempt.
   *
   * @param epoch of the map in which the buckets have left; told to whom is refused
   * @return false if a write got through: nothing is sealed, and the fence is over
   */
  public boolean seal(Connection connection, long attempt, long epoch) throws SQLException {
    return call(connection, "guard_seal", attempt, epoch) == 1;
  }

  /**
   * Opens a fenced guard again; recovery's first call, too. A sealed one stays: it is only written
   * again, flushed, as the one who sealed it may not have come to that.
   *
   * @return false if it is closed: the way is forward
   */
  public boolean lift(Connection connection, long attempt) throws SQLException {
    return call(connection, "guard_lift", attempt) == 1;
  }

  /**
   * Opens a closed guard; nothing happens if it is open. On a shard where an attempt sealed, only a
   * higher one opens: it must have been claimed first wherever the sealing one could still open.
   */
  public void open(Connection connection, long attempt, long epoch) throws SQLException {
    call(connection, "guard_open", attempt, epoch);
  }

  /**
   * Lets a session make ready for the other calls, so that the first one is as fast as the next.
   * Changes nothing.
   */
  public void warmUp(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT reshard.guard_warm_up(?, ?)")) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      statement.execute();
    }
  }

  /**
   * What the catalog says of the unit's tables and all their partitions there, as a digest: while
   * it stays the same nobody has altered, rewritten, attached or detached one. One look, no locks
   * on the tables.
   */
  public String tables(Connection connection) throws SQLException {
    return String.valueOf(ask(connection, TABLES).get(0));
  }

  /**
   * Lets nobody attach or detach partitions of the unit's tables until the caller's transaction
   * ends, as far as our role may lock them. Clients go on; who attaches, detaches or analyzes at
   * this moment is waited for. The server ends the transaction when its client pauses in it for 2 s
   * (HAZARDS F10): who wants an ACCESS EXCLUSIVE lock waits for it, and others behind him.
   *
   * @param limit for each lock, half a second at most
   * @throws SQLException with SQLSTATE {@code 55P03} if a lock was not free in time
   */
  public void holdPartitions(Connection connection, Duration limit) throws SQLException {
    List<String> partitioned = ask(connection, PARTITIONED);
    if (partitioned.isEmpty()) {
      return;
    }
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          SET LOCAL idle_in_transaction_session_timeout = 2000;
          SET LOCAL lock_timeout = %d;
          LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE;
          SET LOCAL lock_timeout = 0"""
              .formatted(
                  Math.max(1, Math.min(limit.toMillis(), LONGEST_LOCK_WAIT_MS)),
                  String.join(", ONLY ", partitioned)));
    }
  }

  private List<String> ask(Connection connection, String sql) throws SQLException {
    List<String> answers = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          answers.add(row.getString(1));
        }
      }
    }
    return answers;
  }

  /** Whether {@link #install} was ever called on the shard. */
  public static boolean isInstalled(Connection connection) throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT to_regclass('reshard.guard') IS NOT NULL");
        ResultSet row = statement.executeQuery()) {
      row.next();
      return row.getBoolean(1);
    }
  }

  /** How the guard stands; empty if it is not armed on this shard. Changes and locks nothing. */
  public Optional<GuardState> state(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT * FROM reshard.guard_state(?, ?)")) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(state(row)) : Optional.empty();
      }
    }
  }

  private static GuardState state(ResultSet row) throws SQLException {
    long until = row.getLong("until");
    GuardState.Kind kind =
        row.getLong("sealed") == 2 || until == FOR_EVER
            ? GuardState.Kind.CLOSED
            : until == 0 ? GuardState.Kind.OPEN : GuardState.Kind.FENCED;
    return new GuardState(
        kind,
        row.getLong("attempt"),
        row.getLong("fenced_attempt"),
        until == FOR_EVER ? Instant.MAX : Instant.ofEpochMilli(until),
        row.getLong("broken") > 0,
        row.getLong("epoch"));
  }

  /** Calls a function of the unit; true comes back as 1, void and false as 0. */
  private long call(Connection connection, String function, long... arguments) throws SQLException {
    String more = ", ?".repeat(arguments.length);
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT reshard.%s(?, ?, ?%s)".formatted(function, more))) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      statement.setLong(3, worker.lease());
      for (int i = 0; i < arguments.length; i++) {
        statement.setLong(4 + i, arguments[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        Object value = row.getObject(1);
        return value instanceof Long number ? number : Boolean.TRUE.equals(value) ? 1 : 0;
      }
    }
  }

  static List<Writer> writers(PreparedStatement statement) throws SQLException {
    List<Writer> writers = new ArrayList<>();
    try (ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        String application = row.getString("application");
        writers.add(
            new Writer(
                row.getInt("pid"),
                Optional.ofNullable(row.getString("gid")),
                String.valueOf(row.getString("role")),
                application == null ? "" : application,
                Optional.ofNullable(row.getTimestamp("since")).map(time -> time.toInstant())));
      }
    }
    return writers;
  }
}
