package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * The one session of a check on one shard. The server itself refuses any change in it, and ends
 * whatever takes long or waits for a lock. Confined to one thread at a time.
 */
public final class CheckSession implements AutoCloseable {
  /** The most for one look at a catalog. */
  private static final Duration CATALOG_LIMIT = Duration.ofSeconds(10);

  /**
   * Why rows cannot be read: statement_timeout, lock_timeout, a right that we lack (which is a
   * finding of its own), a function or schema of ours that only a worker makes.
   */
  private static final Set<String> NOT_NOW = Set.of("57014", "55P03", "42501", "42883", "3F000");

  /** statement_timeout, lock_timeout. */
  private static final Set<String> IN_THE_WAY = Set.of("57014", "55P03");

  private static final String SETTINGS =
      "SET default_transaction_read_only = on; SET lock_timeout = '2s'";

  private final ShardId shard;
  private final Connection connection;
  private Duration limit = Duration.ZERO;

  private CheckSession(ShardId shard, Connection connection) {
    this.shard = shard;
    this.connection = connection;
  }

  /** Reads one row. */
  @FunctionalInterface
  public interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  static CheckSession open(ShardSessions sessions, ShardId shard) throws SQLException {
    Connection connection = sessions.open(shard, "check");
    try (Statement statement = connection.createStatement()) {
      refusePooler(sessions, shard, connection, statement);
      statement.execute(SETTINGS);
      return new CheckSession(shard, connection);
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /**
   * A transaction pooler that names the server's own process is found out by two sessions that one
   * process serves. Whatever opening them has set is taken back: the next one to be served by that
   * process is an application.
   */
  private static void refusePooler(
      ShardSessions sessions, ShardId shard, Connection connection, Statement statement)
      throws SQLException {
    try (Connection second = sessions.open(shard, "check")) {
      if (ShardSessions.pid(second) == ShardSessions.pid(connection)) {
        statement.execute("DISCARD ALL");
        throw new SQLException(
            "a connection pooler answers at this address: process %d serves two sessions at a time; settings, snapshots and replication need a session of their own"
                .formatted(ShardSessions.pid(second)),
            ShardSessions.POOLED);
      }
    }
  }

  /** Whose session it is. */
  public ShardId shard() {
    return shard;
  }

  /** The server's major version. */
  int version() throws SQLException {
    return connection.getMetaData().getDatabaseMajorVersion();
  }

  /** All rows of a query of catalogs. */
  public <T> List<T> query(String sql, Row<T> reader, Object... parameters) throws SQLException {
    limit(CATALOG_LIMIT);
    return run(sql, reader, parameters);
  }

  /** The first column of all rows. */
  List<String> texts(String sql, Object... parameters) throws SQLException {
    return query(sql, row -> row.getString(1), parameters);
  }

  /**
   * As {@link #query}, of rows; empty if it is not done within the limit, or one of {@link
   * #NOT_NOW} is in the way.
   */
  public <T> Optional<List<T>> queryWithin(
      Duration most, String sql, Row<T> reader, Object... parameters) throws SQLException {
    limit(most);
    try {
      return Optional.of(run(sql, reader, parameters));
    } catch (SQLException e) {
      if (NOT_NOW.contains(e.getSQLState())) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Whether somebody else kept a query from its answer: time ran out, or a lock was held. */
  static boolean isInTheWay(SQLException e) {
    return IN_THE_WAY.contains(e.getSQLState());
  }

  /** Those of the tables that are there. */
  public SortedMap<TableId, Table> tables(Collection<TableId> ids) throws SQLException {
    limit(CATALOG_LIMIT);
    return Catalog.readAll(connection, ids);
  }

  Array oids(Collection<Long> oids) throws SQLException {
    return connection.createArrayOf("oid", oids.toArray());
  }

  Array texts(Collection<String> texts) throws SQLException {
    return connection.createArrayOf("text", texts.toArray());
  }

  private <T> List<T> run(String sql, Row<T> reader, Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        List<T> rows = new ArrayList<>();
        while (row.next()) {
          rows.add(reader.read(row));
        }
        return rows;
      }
    }
  }

  private void limit(Duration most) throws SQLException {
    if (!most.equals(limit)) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET statement_timeout = " + Math.max(1, most.toMillis()));
      }
      limit = most;
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
