package dev.reshard.preflight;

import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Checks of a server and of our rights on it, the same for each shard of the plan. Stateless. */
public final class ShardChecks {
  private static final String RESTART = "; set it and restart the server, which cannot be avoided";

  private ShardChecks() {}

  /** All of them, for every shard that buckets leave or enter. */
  public static List<Check> of(ShardSessions sessions, Moves moves) {
    List<Check> checks = new ArrayList<>();
    for (ShardId shard : moves.shards()) {
      checks.add(
          yes(
              sessions,
              shard,
              "version",
              "SELECT current_setting('server_version_num')::int >= 150000",
              "PostgreSQL 15 or later is needed; upgrade it"));
      checks.add(
          yes(
              sessions,
              shard,
              "wal_level",
              "SELECT current_setting('wal_level') = 'logical'",
              "wal_level must be logical" + RESTART));
      checks.add(
          yes(
              sessions,
              shard,
              "replication slots",
              """
              SELECT current_setting('max_replication_slots')::int
                     - (SELECT count(*) FROM pg_replication_slots) >= 2""",
              "two free replication slots are needed; raise max_replication_slots" + RESTART));
      checks.add(
          yes(
              sessions,
              shard,
              "WAL senders",
              """
              SELECT current_setting('max_wal_senders')::int
                     - (SELECT count(*) FROM pg_stat_replication) >= 2""",
              "two free WAL senders are needed; raise max_wal_senders" + RESTART));
      checks.add(
          yes(
              sessions,
              shard,
              "no superuser",
              "SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user",
              "our role is a superuser; the program refuses to be one: make a role of its own"));
      checks.add(
          yes(
              sessions,
              shard,
              "replication right",
              "SELECT rolreplication FROM pg_roles WHERE rolname = current_user",
              "our role lacks REPLICATION; ALTER ROLE .. REPLICATION"));
      checks.add(
          yes(
              sessions,
              shard,
              "create right",
              "SELECT has_database_privilege(current_database(), 'CREATE')",
              "our role lacks CREATE on the database; GRANT CREATE ON DATABASE .. TO .."));
      checks.add(
          yes(
              sessions,
              shard,
              "sight of other sessions",
              "SELECT pg_has_role('pg_monitor', 'USAGE')",
              "our role is no member of pg_monitor, so old transactions would be invisible; "
                  + "GRANT pg_monitor TO .."));
      checks.add(
          yes(
              sessions,
              shard,
              "session_replication_role",
              "SELECT has_parameter_privilege('session_replication_role', 'SET')",
              "our role may not set session_replication_role; "
                  + "GRANT SET ON PARAMETER session_replication_role TO .."));
      checks.add(
          none(
              sessions,
              shard,
              "prepared transactions",
              """
              SELECT gid FROM pg_prepared_xacts
               WHERE database = current_database() AND prepared < now() - interval '1 min'""",
              found ->
                  "prepared transactions %s have waited for more than a minute; they stop slots and "
                          .formatted(found)
                      + "fences: COMMIT PREPARED or ROLLBACK PREPARED them"));
      checks.add(
          none(
              sessions,
              shard,
              "old transactions",
              """
              SELECT pid || ' (' || usename || ', since ' || xact_start::timestamptz(0) || ')'
                FROM pg_stat_activity
               WHERE datname = current_database() AND xact_start < now() - interval '10 min'
                 AND backend_type = 'client backend'""",
              found ->
                  "transactions older than 10 minutes %s; a slot cannot be made before they end"
                      .formatted(found)));
      checks.add(
          none(
              sessions,
              shard,
              "subscriptions",
              "SELECT subname FROM pg_stat_subscription WHERE pid IS NOT NULL",
              found ->
                  "the shard is itself a subscriber (%s); its apply workers write past the router: "
                          .formatted(found)
                      + "end the subscription first"));
    }
    return checks;
  }

  /** A query that answers true where all is well. */
  private static Check yes(
      ShardSessions sessions, ShardId shard, String name, String sql, String otherwise) {
    return new SqlCheck(
        sessions,
        shard,
        name,
        sql,
        rows -> rows.equals(List.of("t")) ? List.of() : List.of(shard + ": " + otherwise));
  }

  /** A query that finds nothing where all is well. */
  private static Check none(
      ShardSessions sessions,
      ShardId shard,
      String name,
      String sql,
      Function<List<String>, String> found) {
    return new SqlCheck(
        sessions,
        shard,
        name,
        sql,
        rows -> rows.isEmpty() ? List.of() : List.of(shard + ": " + found.apply(rows)));
  }

  private record SqlCheck(
      ShardSessions sessions,
      ShardId shard,
      String what,
      String sql,
      Function<List<String>, List<String>> judge)
      implements Check {
    @Override
    public String name() {
      return shard + ": " + what;
    }

    @Override
    public List<Finding> look() throws SQLException {
      List<String> rows = new ArrayList<>();
      try (Connection connection = sessions.open(shard, "check");
          Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery(sql)) {
        while (row.next()) {
          rows.add(row.getString(1));
        }
      }
      return judge.apply(rows).stream().map(Finding::blocker).toList();
    }
  }
}
