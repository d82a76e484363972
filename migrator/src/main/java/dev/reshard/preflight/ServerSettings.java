package dev.reshard.preflight;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Settings that a reload changes, and that can end a replication slot or stop us. Immutable. */
final class ServerSettings implements Check {
  /** A worker may be down for a night. */
  private static final double HOURS = 24;

  private static final String NOW =
      """
      SELECT (SELECT setting::int8 << 20 FROM pg_settings WHERE name = 'max_slot_wal_keep_size'
                AND setting <> '-1'),
             (SELECT wal_bytes / greatest(1, extract(epoch FROM
                now() - coalesce(stats_reset, pg_postmaster_start_time()))) FROM pg_stat_wal),
             nullif(current_setting('idle_replication_slot_timeout', true), '0'),
             current_setting('wal_sender_timeout') = '0',
             (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')""";

  private final Subject subject;

  ServerSettings(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "other settings";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject
        .sessions()
        .look(
            subject.shards(),
            session ->
                session.query(NOW, ServerSettings::judge).get(0).stream()
                    .map(finding -> finding.at(session.shard()))
                    .toList());
  }

  private static List<Finding> judge(ResultSet row) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    long keptBytes = row.getLong(1);
    boolean limited = !row.wasNull();
    double hours = keptBytes / row.getDouble(2) / 3600;
    if (limited && hours < HOURS) {
      findings.add(
          Finding.note(
                  "max_slot_wal_keep_size keeps about %s of the WAL that the server writes on average; a worker that is down for longer loses its replication slot, and the migration begins again"
                      .formatted(
                          hours < 2
                              ? "%.0f minutes".formatted(hours * 60)
                              : "%.0f hours".formatted(hours)))
              .todo("raise it, as far as the disk allows; a reload is enough")
              .sql(
                  "-- superuser: ALTER SYSTEM SET max_slot_wal_keep_size = '..'; SELECT pg_reload_conf();"));
    }
    if (row.getString(3) != null) {
      findings.add(
          Finding.note(
                  "idle_replication_slot_timeout = %s: a worker that is stopped for longer loses its replication slot"
                      .formatted(row.getString(3)))
              .todo("set it to 0 until the migration is complete; a reload is enough")
              .sql(
                  "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();  -- superuser"));
    }
    if (row.getBoolean(4)) {
      findings.add(
          Finding.note(
                  "wal_sender_timeout = 0: the server does not notice when a worker's host is gone, and the next worker has to wait for its replication slot")
              .todo("set it to 60s; a reload is enough")
              .sql(
                  "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf();  -- superuser"));
    }
    if (row.getBoolean(5)) {
      findings.add(
          Finding.blocker("default_transaction_read_only is on for our sessions")
              .todo(
                  "switch it off for our role: ALTER ROLE .. SET default_transaction_read_only = off"));
    }
    return findings;
  }
}
