package dev.reshard.migration;

import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The gates that this module answers for. Stateless. */
public final class Gates {
  private static final String OLD_TRANSACTIONS =
      """
      SELECT coalesce(pid::text, 'prepared') FROM pg_stat_activity
       WHERE datname = current_database() AND backend_xid IS NOT NULL
         AND xact_start < clock_timestamp() - interval '5 s' AND application_name NOT LIKE 'reshard %'
      UNION ALL
      SELECT gid FROM pg_prepared_xacts
       WHERE database = current_database() AND prepared < clock_timestamp() - interval '5 s'""";

  /** Physical ones that stream, by how long WAL takes until they have flushed it. */
  private static final String SLOW_STANDBYS =
      """
      SELECT r.application_name || ' (' || (extract(epoch FROM r.flush_lag) * 1000)::int8 || ' ms)'
        FROM pg_stat_replication r
       WHERE r.state = 'streaming' AND r.replay_lsn IS NOT NULL
         AND r.flush_lag > %d * interval '1 ms'
         AND NOT EXISTS (SELECT FROM pg_replication_slots s
                          WHERE s.active_pid = r.pid AND s.slot_type = 'logical')""";

  private Gates() {}

  /** Every lane runs, and none is behind by more than the spec allows. */
  public static Gate lag(Migration migration, Replication replication) {
    return () -> {
      Duration limit = migration.spec().gates().lag();
      Optional<String> trouble = replication.trouble();
      Optional<Duration> lag = replication.lag();
      return new Gate.Verdict(
          "lag",
          trouble.isEmpty() && lag.isPresent() && lag.get().compareTo(limit) <= 0,
          trouble.orElseGet(() -> lag.map(l -> l.toMillis() + " ms").orElse("unknown")),
          "at most %d ms".formatted(limit.toMillis()),
          "wait until the lanes have caught up");
    };
  }

  /** No write transaction is so old that a fence would wait for it in vain. */
  public static Gate oldTransactions(Migration migration) {
    return () -> {
      List<String> found = new ArrayList<>();
      for (ShardId shard : migration.moves().shards()) {
        for (String who : found(migration, shard, OLD_TRANSACTIONS)) {
          found.add(shard + " " + who);
        }
      }
      return new Gate.Verdict(
          "write transactions older than 5 s",
          found.isEmpty(),
          found.isEmpty() ? "none" : found.toString(),
          "none",
          "wait for their end, or end them there: SELECT pg_terminate_backend(PID), ROLLBACK PREPARED 'NAME'");
    };
  }

  /**
   * No standby is so far behind that a cutover, which waits for its flush as long as the budget
   * allows, would wait in vain (HAZARDS F18).
   */
  public static Gate standbys(Migration migration) {
    return () -> {
      Duration limit = migration.spec().budget().pause();
      List<String> found = new ArrayList<>();
      for (ShardId shard : migration.moves().shards()) {
        String sql = SLOW_STANDBYS.formatted(limit.toMillis());
        for (String who : found(migration, shard, sql)) {
          found.add(shard + " " + who);
        }
      }
      return new Gate.Verdict(
          "standbys behind by more than the budget",
          found.isEmpty(),
          found.isEmpty() ? "none" : found.toString(),
          "none",
          "wait until they have caught up, or raise budget.pause");
    };
  }

  private static List<String> found(Migration migration, ShardId shard, String sql)
      throws SQLException {
    List<String> found = new ArrayList<>();
    try (Connection connection = migration.sessions().open(shard, "gates");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        found.add(row.getString(1));
      }
    }
    return found;
  }
}
