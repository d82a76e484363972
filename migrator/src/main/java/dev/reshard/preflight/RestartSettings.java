package dev.reshard.preflight;

import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * The settings that only a restart changes, all at once: nobody restarts a production server twice.
 * Immutable.
 */
final class RestartSettings implements Check {
  /** Ours for the anchor and the capture; one more while a worker that died is still connected. */
  private static final int SLOTS = 2;

  /** Sessions besides those that copy: control, lanes, gates, verification, dual reads. */
  private static final int SESSIONS = 12;

  private static final String NOW =
      """
      SELECT current_setting('wal_level'),
             current_setting('max_replication_slots')::int,
             (SELECT count(*) FROM pg_replication_slots WHERE NOT starts_with(slot_name, ?)),
             current_setting('max_wal_senders')::int,
             (SELECT count(*) FROM pg_stat_replication r WHERE NOT EXISTS (
               SELECT FROM pg_replication_slots s
                WHERE s.active_pid = r.pid AND starts_with(s.slot_name, ?))),
             current_setting('max_connections')::int,
             (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
                AND NOT starts_with(application_name, ?))
               + current_setting('superuser_reserved_connections')::int
               + coalesce(current_setting('reserved_connections', true)::int, 0),
             coalesce(current_setting('old_snapshot_threshold', true), '-1')""";

  private final Subject subject;

  RestartSettings(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "settings that need a restart";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    String migration = subject.spec().migration();
    String slots = "reshard_%s_".formatted(migration.replace('-', '_'));
    return subject
        .sessions()
        .look(
            subject.shards(),
            session ->
                session
                    .query(
                        NOW,
                        row -> wanted(session.shard(), row),
                        slots,
                        slots,
                        "reshard %s ".formatted(migration))
                    .stream()
                    .filter(wanted -> !wanted.isEmpty())
                    .map(wanted -> finding(session.shard(), wanted))
                    .toList());
  }

  private record Wanted(String name, String value, String why) {}

  private List<Wanted> wanted(ShardId shard, ResultSet row) throws SQLException {
    List<Wanted> wanted = new ArrayList<>();
    if (!row.getString(1).equals("logical")) {
      wanted.add(
          new Wanted("wal_level", "logical", "= %s, must be logical".formatted(row.getString(1))));
    }
    atLeast(wanted, "max_replication_slots", row.getInt(2), row.getInt(3), SLOTS);
    atLeast(wanted, "max_wal_senders", row.getInt(4), row.getInt(5), SLOTS);
    atLeast(wanted, "max_connections", row.getInt(6), row.getInt(7), sessions(shard));
    if (!row.getString(8).equals("-1")) {
      wanted.add(
          new Wanted(
              "old_snapshot_threshold",
              "-1",
              "= %s, must be -1: a copy's snapshot may not go stale".formatted(row.getString(8))));
    }
    return wanted;
  }

  private static void atLeast(List<Wanted> wanted, String name, int now, int used, int more) {
    if (now - used < more) {
      wanted.add(
          new Wanted(
              name,
              Integer.toString(used + more),
              "= %d with %d in use, must be at least %d".formatted(now, used, used + more)));
    }
  }

  /** What copying and replicating opens on a shard at a time, about. */
  private int sessions(ShardId shard) {
    int workers = subject.spec().copy().mostWorkers();
    List<Move> out = subject.moves().from(shard);
    List<Move> in = subject.moves().to(shard);
    return SESSIONS + workers * ((out.isEmpty() ? 0 : 1) + in.size()) + out.size() + in.size();
  }

  private static Finding finding(ShardId shard, List<Wanted> wanted) {
    List<String> texts = wanted.stream().map(w -> w.name + " " + w.why).toList();
    List<String> sql =
        wanted.stream()
            .map(
                w ->
                    "ALTER SYSTEM SET %s = '%s';  -- superuser; then restart"
                        .formatted(w.name, w.value))
            .toList();
    return Finding.blocker(String.join("; ", texts))
        .at(shard)
        .todo("these need a restart: set them all, then restart it once")
        .sql(String.join("\n", sql));
  }
}
