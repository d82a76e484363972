package dev.reshard.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * One of a migration's own sessions that waits for a lock of somebody else's. Immutable.
 *
 * @param part which part of the program the session serves
 * @param pids the server processes that are in its way; 0 is a prepared transaction
 * @param inTheWay the same for people
 */
public record LockWait(String part, List<Integer> pids, String inTheWay) {
  /** Process {@code b.pid}, with its row {@code a} of {@code pg_stat_activity}, for people. */
  static final String WHO =
      """
      CASE WHEN b.pid = 0 THEN 'a prepared transaction (see pg_prepared_xacts)'
           ELSE format('pid %s (%s)', b.pid,
                  concat_ws(', ', coalesce('user ' || a.usename, a.backend_type),
                            'application "' || nullif(a.application_name, '') || '"', a.state,
                            'transaction since ' || a.xact_start)) END""";

  /** Extending a file is a wait of moments, and of our own copies for each other. */
  private static final String WAITS =
      """
      SELECT w.part, array_agg(b.pid ORDER BY b.pid), string_agg(%s, ', ' ORDER BY b.pid)
        FROM (SELECT pid, substr(application_name, length(?) + 1) AS part FROM pg_stat_activity
               WHERE datname = current_database() AND starts_with(application_name, ?)
                 AND wait_event_type = 'Lock' AND wait_event <> 'extend' OFFSET 0) w
       CROSS JOIN LATERAL (SELECT DISTINCT pid FROM unnest(pg_blocking_pids(w.pid)) u (pid)) b
        LEFT JOIN pg_stat_activity a ON a.pid = b.pid
       WHERE (b.pid = 0 OR a.pid IS NOT NULL) AND NOT starts_with(coalesce(a.application_name, ''), ?)
       GROUP BY w.pid, w.part"""
          .formatted(WHO);

  public LockWait {
    pids = List.copyOf(pids);
  }

  /** The waits of this moment. */
  public static List<LockWait> of(Connection connection, String migration) throws SQLException {
    String ours = ShardSessions.applicationName(migration, "");
    List<LockWait> waits = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(WAITS)) {
      statement.setString(1, ours);
      statement.setString(2, ours);
      statement.setString(3, ours);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          Integer[] pids = (Integer[]) row.getArray(2).getArray();
          waits.add(new LockWait(row.getString(1), List.of(pids), row.getString(3)));
        }
      }
    }
    return waits;
  }
}
