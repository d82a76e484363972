package dev.reshard.migration;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.SqlState;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads the catalogs of shards, each over a session that it keeps. Thread-safe. */
final class CatalogReader implements AutoCloseable {
  private static final String OLDER_ROWS =
      """
      SELECT EXISTS (SELECT FROM ONLY %s r WHERE age(r.xmin) < 0 OR age(r.xmin) >=
                     (SELECT min(age(i.xmin)) FROM pg_partition_ancestors(%d) p
                        JOIN pg_inherits i ON i.inhrelid = p.relid))""";

  private final ShardSessions sessions;
  private final Map<ShardId, Connection> open = new TreeMap<>();

  CatalogReader(ShardSessions sessions) {
    this.sessions = sessions;
  }

  /** Those tables that are there. */
  synchronized Map<TableId, Table> read(ShardId shard, List<TableId> tables) throws SQLException {
    return ask(shard, session -> Catalog.readAll(session, tables));
  }

  /** All that was committed on the shard before this was asked lies before it. */
  synchronized Lsn position(ShardId shard) throws SQLException {
    return Lsn.parse(
        ask(shard, session -> one(session, "SELECT pg_current_wal_insert_lsn()::text")));
  }

  /** Whether a partition has rows that are not younger than its place in the table. */
  synchronized boolean hasOlderRows(ShardId shard, Table.Leaf partition) throws SQLException {
    String sql = OLDER_ROWS.formatted(partition.id().quoted(), partition.oid());
    return ask(shard, session -> one(session, sql)).equals("t");
  }

  private static String one(Connection session, String sql) throws SQLException {
    try (Statement statement = session.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  /** What is asked over a shard's session. */
  interface Question<T> {
    T of(Connection session) throws SQLException;
  }

  /** A session may have broken since it was used last: that alone is no answer. */
  synchronized <T> T ask(ShardId shard, Question<T> question) throws SQLException {
    Connection session = open.get(shard);
    boolean isKept = session != null && !session.isClosed();
    if (!isKept) {
      session = sessions.open(shard, "catalog");
      open.put(shard, session);
    }
    try {
      return question.of(session);
    } catch (SQLException e) {
      open.remove(shard);
      closeQuietly(session);
      if (isKept && SqlState.isBroken(e)) {
        return ask(shard, question);
      }
      throw e;
    }
  }

  private static void closeQuietly(Connection session) {
    try {
      session.close();
    } catch (SQLException ignored) {
      // it is gone
    }
  }

  /** Ends its sessions; it may be asked again. */
  @Override
  public synchronized void close() {
    open.values().forEach(CatalogReader::closeQuietly);
    open.clear();
  }
}
