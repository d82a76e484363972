package dev.reshard.capture;

import dev.reshard.capture.CaptureException.Reason;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ReplicationSlots.Slot;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/** Whether a slot can still give all that it owes. Stateless. */
final class SlotCheck {
  private static final Duration TERMINATE_TIMEOUT = Duration.ofSeconds(5);

  private SlotCheck() {}

  /**
   * The slot.
   *
   * @throws CaptureException {@code SLOT_MISSING}, {@code SLOT_LOST} or {@code PUBLICATION_MISSING}
   */
  static Slot require(Connection connection, CaptureSource source) throws SQLException {
    Slot slot =
        ReplicationSlots.find(connection, source.slot())
            .orElseThrow(
                () ->
                    new CaptureException(
                        Reason.SLOT_MISSING,
                        ("shard %s has no replication slot %s any more: the changes since it was "
                                + "last read are missing at the destinations; do not cut over to "
                                + "them. Find out who dropped it, then begin again from a new "
                                + "anchor.")
                            .formatted(source.shard(), source.slot())));
    if (slot.lost()) {
      throw new CaptureException(
          Reason.SLOT_LOST,
          ("shard %s has removed WAL that replication slot %s needs from %s on: the changes since "
                  + "then are missing at the destinations; do not cut over to them. Raise "
                  + "max_slot_wal_keep_size on the shard, then begin again from a new anchor.")
              .formatted(source.shard(), source.slot(), slot.confirmed()));
    }
    requirePublication(connection, source);
    return slot;
  }

  /**
   * The slot, after ending whoever still reads from it: a process that died without a word keeps
   * its session until the server notices, a minute later.
   *
   * @throws SQLException if the session cannot be ended
   * @throws CaptureException as {@link #require}
   */
  static Slot takeOver(Connection connection, CaptureSource source) throws SQLException {
    Slot found = require(connection, source);
    if (!found.active()) {
      return found;
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT pg_terminate_backend(active_pid, %d) FROM pg_replication_slots
             WHERE slot_name = ? AND active_pid IS NOT NULL"""
                .formatted(TERMINATE_TIMEOUT.toMillis()))) {
      statement.setString(1, source.slot());
      statement.execute();
    }
    Slot slot = require(connection, source);
    if (slot.active()) {
      throw new SQLException(
          "replication slot %s is still read by another session, which did not end within %s"
              .formatted(source.slot(), TERMINATE_TIMEOUT),
          "55006");
    }
    return slot;
  }

  private static void requirePublication(Connection connection, CaptureSource source)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT 1 FROM pg_publication WHERE pubname = ?")) {
      statement.setString(1, source.publication());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          throw new CaptureException(
              Reason.PUBLICATION_MISSING,
              ("shard %s has no publication %s any more, and what was written without it cannot be "
                      + "read. Find out who dropped it, then begin again from a new anchor.")
                  .formatted(source.shard(), source.publication()));
        }
      }
    }
  }
}
