package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What one destination says it has loaded of one source (HAZARDS F24: nobody else's word counts).
 * Immutable; each call uses the destination's session of its caller.
 */
record CopyLedger(String migration, ShardId source) {
  /** The lock that marks what loads rows of one source. */
  private static final String MARK = "hashtextextended('reshard copy ' || ? || ' ' || ?, 0)";

  private static final int ENDING_TRIES = 3;

  /**
   * A table whose moving buckets were empty when this migration came.
   *
   * @param shape what it was when its copy began
   * @param leaves what its partitions were when the last round began
   * @param since anchor of the first round that loaded it; empty before that
   * @param round anchor of the round under way; empty between two rounds
   * @param complete whether all its rows of that round are there
   */
  record Claim(
      String shape, Leaves leaves, Optional<Lsn> since, Optional<Lsn> round, boolean complete) {
    /** Whether rows may be there that this round did not bring. */
    boolean isLater() {
      return !since.equals(round);
    }
  }

  /** A chunk in the ledger. */
  record Place(TableId table, TableId leaf, long from) {
    static Place of(Chunk chunk) {
      return new Place(chunk.table(), chunk.leaf().id(), chunk.from());
    }
  }

  /** What a chunk brought. */
  record Entry(Lsn anchor, long rows, long strays) {}

  Map<TableId, Claim> claims(Connection destination) throws SQLException {
    Map<TableId, Claim> claims = new HashMap<>();
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            SELECT table_schema, table_name, shape, leaves, since, round, complete
              FROM reshard.copied_table WHERE migration = ? AND source = ?""")) {
      bind(statement);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          claims.put(
              new TableId(row.getString(1), row.getString(2)),
              new Claim(
                  row.getString(3),
                  Leaves.parse(row.getString(4)),
                  Optional.ofNullable(row.getString(5)).map(Lsn::parse),
                  Optional.ofNullable(row.getString(6)).map(Lsn::parse),
                  row.getBoolean(7)));
        }
      }
    }
    return claims;
  }

  Map<Place, Entry> entries(Connection destination) throws SQLException {
    Map<Place, Entry> entries = new HashMap<>();
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            SELECT table_schema, table_name, leaf_schema, leaf_name, from_block, anchor, rows, strays
              FROM reshard.copied_chunk WHERE migration = ? AND source = ?""")) {
      bind(statement);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          entries.put(
              new Place(
                  new TableId(row.getString(1), row.getString(2)),
                  new TableId(row.getString(3), row.getString(4)),
                  row.getLong(5)),
              new Entry(Lsn.parse(row.getString(6)), row.getLong(7), row.getLong(8)));
        }
      }
    }
    return entries;
  }

  /** Tables whose rows the stream could not bring whole: their keys wait in reshard.refetch. */
  Set<TableId> missed(Connection destination) throws SQLException {
    Set<TableId> tables = new HashSet<>();
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            SELECT DISTINCT table_schema, table_name
              FROM reshard.refetch WHERE migration = ? AND source = ?""")) {
      bind(statement);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          tables.add(new TableId(row.getString(1), row.getString(2)));
        }
      }
    }
    return tables;
  }

  /** Marks the transaction under way, until it ends, as one of a copy, for {@link #endOthers}. */
  void mark(Connection destination) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement("SELECT pg_advisory_xact_lock_shared(%s)".formatted(MARK))) {
      bind(statement);
      statement.execute();
    }
  }

  /**
   * Ends what an earlier round's sessions still have open, so that nothing of it is committed any
   * more: a session that was cut off may have sent its commit, and a network may bring it much
   * later. Until then neither the ledger nor a lane sees those rows, so that a lane would delete
   * one of them in vain, and it would come back.
   *
   * @throws SQLException if one of them does not end
   */
  void endOthers(Connection destination) throws SQLException {
    boolean found = true;
    for (int i = 0; found && i < ENDING_TRIES; i++) {
      try (PreparedStatement statement =
          destination.prepareStatement(
              """
              SELECT pg_terminate_backend(l.pid, 5000) FROM (SELECT %s AS key OFFSET 0) mark
                JOIN pg_locks l ON l.locktype = 'advisory' AND l.objsubid = 1
                 AND l.classid = (mark.key >> 32 & 4294967295)::oid
                 AND l.objid = (mark.key & 4294967295)::oid
               WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND l.pid <> pg_backend_pid()"""
                  .formatted(MARK))) {
        bind(statement);
        try (ResultSet row = statement.executeQuery()) {
          found = row.next();
        }
      }
    }
    if (found) {
      throw new SQLException(
          "a session of an earlier round of the copy from %s does not end".formatted(source),
          "55P03");
    }
  }

  /**
   * Says first, in the transaction that is to load the chunk, that it is loaded: waits for another
   * transaction that says the same, and is false if that one committed.
   */
  boolean enter(Connection destination, Chunk chunk, Lsn anchor) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            INSERT INTO reshard.copied_chunk (migration, source, table_schema, table_name,
                   leaf_schema, leaf_name, from_block, blocks, file_node, anchor, rows, strays)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?::pg_lsn, 0, 0) ON CONFLICT DO NOTHING""")) {
      bind(statement, chunk);
      statement.setLong(8, chunk.cut());
      statement.setLong(9, chunk.leaf().fileNode());
      statement.setString(10, anchor.toString());
      return statement.executeUpdate() == 1;
    }
  }

  /** Says what it brought. */
  void complete(Connection destination, Chunk chunk, long rows, long strays) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            WITH given AS (SELECT ?, ?, ?, ?, ?, ?, ?::int8)
            UPDATE reshard.copied_chunk SET rows = ?, strays = ?
             WHERE (migration, source, table_schema, table_name, leaf_schema, leaf_name, from_block)
                   = (TABLE given)""")) {
      bind(statement, chunk);
      statement.setLong(8, rows);
      statement.setLong(9, strays);
      statement.executeUpdate();
    }
  }

  /** Begins a table: whatever rows of moving buckets it has from now on are ours. */
  void claim(Connection destination, Table table) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            INSERT INTO reshard.copied_table (migration, source, table_schema, table_name, shape, leaves)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (migration, source, table_schema, table_name)
            DO UPDATE SET shape = excluded.shape, leaves = excluded.leaves,
                          since = NULL, round = NULL, complete = false""")) {
      bind(statement, table.id());
      statement.setString(5, table.shape());
      statement.setString(6, Leaves.of(table).toString());
      statement.executeUpdate();
    }
  }

  /** Begins a round of all tables, unless it has begun. */
  void begin(Connection destination, Lsn anchor) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            UPDATE reshard.copied_table SET round = ?::pg_lsn, since = coalesce(since, ?::pg_lsn)
             WHERE migration = ? AND source = ? AND round IS NULL""")) {
      statement.setString(1, anchor.toString());
      statement.setString(2, anchor.toString());
      statement.setString(3, migration);
      statement.setString(4, source.name());
      statement.executeUpdate();
    }
  }

  /**
   * Ends the round of a table; it keeps what it has.
   *
   * @param complete whether all of it is there, the partitions that it has now included
   */
  void end(Connection destination, Table table, boolean complete) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            WITH given AS (SELECT ?, ?, ?, ?)
            UPDATE reshard.copied_table SET round = NULL, leaves = ?, complete = ?
             WHERE (migration, source, table_schema, table_name) = (TABLE given)""")) {
      bind(statement, table.id());
      statement.setString(5, Leaves.of(table).toString());
      statement.setBoolean(6, complete);
      statement.executeUpdate();
    }
  }

  /** Says that all of a table is there. */
  void complete(Connection destination, TableId table) throws SQLException {
    execute(destination, table, "UPDATE reshard.copied_table SET complete = true");
  }

  /** Forgets all that was loaded of a table, and what was missing of it. */
  void removeChunks(Connection destination, TableId table) throws SQLException {
    execute(destination, table, "DELETE FROM reshard.copied_chunk");
    execute(destination, table, "DELETE FROM reshard.refetch");
  }

  /**
   * Forgets chunks that do not say any more where rows lie: the file was written anew, or it is cut
   * into other ranges now.
   */
  void removeOutdated(Connection destination, TableId leaf, long fileNode, long blocks)
      throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            DELETE FROM reshard.copied_chunk
             WHERE migration = ? AND source = ? AND leaf_schema = ? AND leaf_name = ?
               AND (file_node <> ? OR blocks <> ?)""")) {
      bind(statement, leaf);
      statement.setLong(5, fileNode);
      statement.setLong(6, blocks);
      statement.executeUpdate();
    }
  }

  private void execute(Connection destination, TableId table, String sql) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            sql + " WHERE migration = ? AND source = ? AND table_schema = ? AND table_name = ?")) {
      bind(statement, table);
      statement.executeUpdate();
    }
  }

  private void bind(PreparedStatement statement, Chunk chunk) throws SQLException {
    bind(statement, chunk.table());
    statement.setString(5, chunk.leaf().id().schema());
    statement.setString(6, chunk.leaf().id().name());
    statement.setLong(7, chunk.from());
  }

  private void bind(PreparedStatement statement, TableId table) throws SQLException {
    bind(statement);
    statement.setString(3, table.schema());
    statement.setString(4, table.name());
  }

  private void bind(PreparedStatement statement) throws SQLException {
    statement.setString(1, migration);
    statement.setString(2, source.name());
  }
}
