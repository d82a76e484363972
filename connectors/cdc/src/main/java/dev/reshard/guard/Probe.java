package dev.reshard.guard;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Asks, after arming, whether every role that writes the tables can fire the triggers: one that
 * cannot would fail at each INSERT, of any bucket (HAZARDS F27). Stateless; changes nothing, and
 * waits for no lock longer than 50 ms.
 */
public final class Probe {
  /** Roles that may write a table but not read a sequence, or not run a function, of a trigger. */
  private static final String MISSING =
      """
      SELECT r.rolname, t.name, missing.what
        FROM pg_roles r
        CROSS JOIN (SELECT c.oid, c.oid::regclass::text AS name FROM pg_class c
                     WHERE c.oid = ANY (?)) t
        CROSS JOIN LATERAL (
          SELECT 'SELECT on sequence ' || s.oid::regclass AS what FROM pg_class s
           WHERE s.oid = ANY (?) AND NOT has_sequence_privilege(r.oid, s.oid, 'SELECT')
          UNION ALL
          SELECT 'USAGE on sequence ' || s.oid::regclass FROM pg_class s
           WHERE s.oid = ? AND NOT has_sequence_privilege(r.oid, s.oid, 'USAGE')
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

  /** Roles that we may become and that may update a table. */
  private static final String WRITERS =
      """
      SELECT r.rolname FROM pg_roles r
       WHERE NOT r.rolsuper AND pg_has_role(session_user, r.oid, ?) AND r.rolname <> session_user
         AND has_table_privilege(r.oid, ?::oid, 'SELECT, UPDATE') ORDER BY 1""";

  private Probe() {}

  /**
   * What is wrong, one line for each role and table; empty if nothing is.
   *
   * @param unit armed on this shard
   */
  public static List<String> problems(Connection connection, Keyspace keyspace, Unit unit)
      throws SQLException {
    List<Table> tables = new ArrayList<>();
    for (ShardedTable table : keyspace.sharded()) {
      tables.add(Catalog.read(connection, table.id()));
    }
    Long[] sequences = sequences(connection, unit);
    List<String> problems = missing(connection, tables, sequences);
    for (Table table : tables) {
      for (String role : writers(connection, table)) {
        write(connection, table, role, sequences)
            .ifPresent(
                error ->
                    problems.add(
                        "a write to %s as role %s would fail: %s"
                            .formatted(table.id(), role, error)));
      }
    }
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

  private static List<String> writers(Connection connection, Table table) throws SQLException {
    boolean hasSetOption = connection.getMetaData().getDatabaseMajorVersion() >= 16;
    List<String> roles = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(WRITERS)) {
      statement.setString(1, hasSetOption ? "SET" : "MEMBER");
      statement.setLong(2, table.oid());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          roles.add(row.getString(1));
        }
      }
    }
    return roles;
  }

  private static Optional<String> write(
      Connection connection, Table table, String role, Long[] sequences) throws SQLException {
    Optional<Column> column =
        table.stored().stream().filter(stored -> !stored.identityAlways()).findFirst();
    if (column.isEmpty()) {
      return Optional.empty();
    }
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT reshard.guard_probe(?::oid::regclass, ?, ?, ?)")) {
      statement.setLong(1, table.oid());
      statement.setString(2, column.get().name());
      statement.setString(3, role);
      statement.setArray(4, connection.createArrayOf("oid", sequences));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return Optional.ofNullable(row.getString(1));
      }
    }
  }
}
