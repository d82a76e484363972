package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * What one destination says it has loaded of one source (HAZARDS F24: nobody else's word counts).
 * Immutable; each call uses the destination's session of its caller.
 */
record CopyLedger(String migration, ShardId source) {

  /** A chunk in the ledger. */
  record Place(TableId table, TableId leaf, long from) {
    static Place of(Chunk chunk) {
      return new Place(chunk.table(), chunk.leaf().id(), chunk.from());
    }
  }

  /** What a chunk brought. */
  record Entry(Lsn anchor, long rows, long strays) {}

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

  /**
   * Says first, in the transaction that is to load the chunk, that it is loaded: waits for another
   * transaction that says the same, and is false if that one committed.
   */
  boolean enter(Connection destination, Chunk chunk, Lsn anchor) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            INSERT INTO reshard.copied_chunk (migration, source, table_schema, table_name,
                   leaf_schema, leaf_name, from_block, anchor, rows, strays)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?::pg_lsn, 0, 0) ON CONFLICT DO NOTHING""")) {
      bind(statement, chunk);
      statement.setString(8, anchor.toString());
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

  /** Whether the moving buckets of the table were empty when this migration came. */
  boolean hasClaimed(Connection destination, TableId table) throws SQLException {
    try (PreparedStatement statement =
        destination.prepareStatement(
            """
            SELECT FROM reshard.copied_table
             WHERE migration = ? AND source = ? AND table_schema = ? AND table_name = ?""")) {
      bind(statement, table);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  void claim(Connection destination, TableId table) throws SQLException {
    execute(destination, table, "INSERT INTO reshard.copied_table VALUES (?, ?, ?, ?)");
  }

  void removeClaim(Connection destination, TableId table) throws SQLException {
    execute(
        destination,
        table,
        """
        DELETE FROM reshard.copied_table
         WHERE migration = ? AND source = ? AND table_schema = ? AND table_name = ?""");
  }

  void removeChunks(Connection destination, TableId table) throws SQLException {
    execute(
        destination,
        table,
        """
        DELETE FROM reshard.copied_chunk
         WHERE migration = ? AND source = ? AND table_schema = ? AND table_name = ?""");
  }

  private void execute(Connection destination, TableId table, String sql) throws SQLException {
    try (PreparedStatement statement = destination.prepareStatement(sql)) {
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
