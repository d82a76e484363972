package dev.reshard.guard;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks, after arming, whether every role that writes the tables can fire the triggers: one that
 * cannot would fail at each INSERT, of any bucket (HAZARDS F27). Stateless; changes nothing, and
 * waits for no lock longer than 50 ms.
 */
public final class Probe {
  /**
   * Roles that may write a table but not read a sequence, or not run a function, of a trigger. The
   * sequences are not looked up in pg_class: a plan may ask for the privilege first, and of a table
   * it is an error.
   */
  private static final String MISSING =
      """
      SELECT r.rolname, t.name, missing.what
        FROM pg_roles r
        CROSS JOIN (SELECT c.oid, c.oid::regclass::text AS name FROM pg_class c
                     WHERE c.oid = ANY (?)) t
        CROSS JOIN LATERAL (
          SELECT 'SELECT on sequence ' || s.oid::regclass AS what FROM unnest(?::oid[]) s (oid)
           WHERE NOT has_sequence_privilege(r.oid, s.oid, 'SELECT')
          UNION ALL
          SELECT 'USAGE on sequence ' || s.oid::regclass FROM (SELECT ?::oid AS oid) s
           WHERE NOT has_sequence_privilege(r.oid, s.oid, 'USAGE')
          UNION ALL
          SELECT 'EXECUTE on function ' || f FROM unnest(ARRAY[
              'pg_catalog.get_bit(bytea,bigint)', 'pg_catalog.md5(text)',
              'pg_catalog.left(text,integer)', 'pg_catalog.current_setting(text,boolean)',
              'pg_catalog.pg_sequence_last_value(regclass)', 'pg_catalog.nextval(regclass)',
              'pg_catalog.date_part(text,timestamp with time zone)',
              'pg_catalog.clock_timestamp()', 'pg_catalog.decode(text,text)',
              'pg_catalog.pg_logical_emit_message(boolean,text,text)']) f
           WHERE NOT has_function_privilege(r.oid, to_regprocedure(f), 'EXECUTE')) missing
       WHERE NOT r.rolsuper
         AND (has_table_privilege(r.oid, t.oid, 'DELETE')
           OR has_any_column_privilege(r.oid, t.oid, 'INSERT')
           OR has_any_column_privilege(r.oid, t.oid, 'UPDATE'))
       ORDER BY 1, 2, 3""";

  /** Writes as each role that we may become and that may update a table; those that fail. */
  private static final String WRITES =
      """
      SELECT tried.name, tried.rolname, tried.error
        FROM (SELECT t.oid::regclass::text AS name, r.rolname,
                     reshard.guard_probe(t.oid::regclass, t.col, r.rolname, ?) AS error
                FROM unnest(?, ?) t (oid, col)
                JOIN pg_roles r ON NOT r.rolsuper AND r.rolname <> session_user
                 AND pg_has_role(session_user, r.oid, ?)
                 AND has_table_privilege(r.oid, t.oid, 'SELECT, UPDATE')
               ORDER BY t.oid, r.rolname OFFSET 0) tried
       WHERE tried.error IS NOT NULL""";

  private Probe() {}

  /**
   * What is wrong, one line for each role and table; empty if nothing is.
   *
   * @param unit armed on this shard
   */
  public static List<String> problems(Connection connection, Keyspace keyspace, Unit unit)
      throws SQLException {
    List<Table> tables =
        Catalog.readInOrder(connection, keyspace.sharded().stream().map(ShardedTable::id).toList());
    Long[] sequences = sequences(connection, unit);
    List<String> problems = missing(connection, tables, sequences);
    problems.addAll(writes(connection, tables, sequences));
    return problems;
  }

  /** That of {@code broken} comes last. */
  private static Long[] sequences(Connection connection, Unit unit) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT ARRAY[until_seq, sealed_seq, epoch_seq, broken_seq] FROM reshard.guard
             WHERE migration = ? AND unit = ?""")) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          throw new SQLException(unit + " is not armed on this shard", Guard.WRONG_STATE);
        }
        return (Long[]) row.getArray(1).getArray();
      }
    }
  }

  private static List<String> missing(Connection connection, List<Table> tables, Long[] sequences)
      throws SQLException {
    List<String> problems = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(MISSING)) {
      statement.setArray(
          1, connection.createArrayOf("oid", tables.stream().map(Table::oid).toArray()));
      statement.setArray(2, connection.createArrayOf("oid", sequences));
      statement.setLong(3, sequences[sequences.length - 1]);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          problems.add(
              "role %s may write %s but lacks %s"
                  .formatted(row.getString(1), row.getString(2), row.getString(3)));
        }
      }
    }
    return problems;
  }

  /** Each table is written to as each role and rolled back, all within one server call. */
  private static List<String> writes(Connection connection, List<Table> tables, Long[] sequences)
      throws SQLException {
    boolean hasSetOption = connection.getMetaData().getDatabaseMajorVersion() >= 16;
    List<Long> oids = new ArrayList<>();
    List<String> columns = new ArrayList<>();
    for (Table table : tables) {
      table.stored().stream()
          .filter(stored -> !stored.identityAlways())
          .findFirst()
          .ifPresent(
              column -> {
                oids.add(table.oid());
                columns.add(column.name());
              });
    }
    List<String> problems = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(WRITES)) {
      statement.setArray(1, connection.createArrayOf("oid", sequences));
      statement.setArray(2, connection.createArrayOf("oid", oids.toArray()));
      statement.setArray(3, connection.createArrayOf("text", columns.toArray()));
      statement.setString(4, hasSetOption ? "SET" : "MEMBER");
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          problems.add(
              "a write to %s as role %s would fail: %s"
                  .formatted(row.getString(1), row.getString(2), row.getString(3)));
        }
      }
    }
    return problems;
  }
}
