package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.OptionalLong;

/** Makes, finds and drops logical replication slots. Stateless. */
public final class ReplicationSlots {

  /** Whether the slot outlives the session that made it. */
  public enum Kind {
    PERMANENT(""),
    TEMPORARY(" TEMPORARY");

    private final String word;

    Kind(String word) {
      this.word = word;
    }
  }

  /**
   * A slot as the server has it.
   *
   * @param confirmed where streaming would go on
   * @param lost its WAL is gone: what follows can never be read
   * @param walBytes that the server keeps for it
   * @param safeBytes that may still be written until the server gives it up ({@code
   *     max_slot_wal_keep_size}); empty: it never does
   */
  public record Slot(
      String name,
      Lsn confirmed,
      boolean active,
      boolean lost,
      long walBytes,
      OptionalLong safeBytes) {}

  private ReplicationSlots() {}

  /**
   * Makes a slot and exports the snapshot that belongs to it.
   *
   * @param replication a session of {@link ShardSessions#openReplication}; the snapshot lives until
   *     its next command
   */
  public static Anchor create(Connection replication, ShardId shard, String slot, Kind kind)
      throws SQLException {
    ServerIdentity server = ServerIdentity.of(replication); // before: it would end the snapshot
    try (Statement statement = replication.createStatement();
        ResultSet row =
            statement.executeQuery(
                "CREATE_REPLICATION_SLOT %s%s LOGICAL pgoutput EXPORT_SNAPSHOT"
                    .formatted(slot, kind.word))) {
      row.next();
      return new Anchor(
          shard,
          slot,
          server,
          Lsn.parse(row.getString("consistent_point")),
          row.getString("snapshot_name"));
    }
  }

  public static Optional<Slot> find(Connection connection, String slot) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT slot_name, coalesce(confirmed_flush_lsn, '0/0'), active,
                   coalesce(wal_status = 'lost', false),
                   coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8,
                   safe_wal_size
              FROM pg_replication_slots WHERE slot_name = ? AND database = current_database()""")) {
      statement.setString(1, slot);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Slot(
                    row.getString(1),
                    Lsn.parse(row.getString(2)),
                    row.getBoolean(3),
                    row.getBoolean(4),
                    row.getLong(5),
                    safe(row.getLong(6), row.wasNull())))
            : Optional.empty();
      }
    }
  }

  private static OptionalLong safe(long bytes, boolean isNull) {
    return isNull ? OptionalLong.empty() : OptionalLong.of(bytes);
  }

  /** Drops a slot, ending whoever still streams from it; nothing happens if there is none. */
  public static void drop(Connection connection, String slot) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
             WHERE slot_name = ? AND active_pid IS NOT NULL;
            SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
             WHERE slot_name = ?""")) {
      statement.setString(1, slot);
      statement.setString(2, slot);
      statement.execute();
    }
  }
}
