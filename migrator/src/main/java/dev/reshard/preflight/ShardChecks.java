package dev.reshard.preflight;

import java.util.ArrayList;
import java.util.List;

/** Checks of a server, the same for each shard of the plan. Stateless. */
final class ShardChecks {
  /** Rights of ours come with GRANT SET ON PARAMETER, which 14 does not have. */
  private static final int FIRST_VERSION = 15;

  private static final int LAST_VERSION = 18;

  /** Ours too would wait for such a transaction, everywhere in the server (HAZARDS F20). */
  private static final String PREPARED =
      """
      SELECT gid || ' in ' || database FROM pg_prepared_xacts
       WHERE prepared < now() - interval '1 min' ORDER BY prepared""";

  private static final String OLD =
      """
      SELECT pid || ' (' || usename || ' in ' || datname || ', since ' || xact_start::timestamptz(0) || ')'
        FROM pg_stat_activity
       WHERE (datname = current_database() OR backend_xid IS NOT NULL)
         AND xact_start < now() - interval '10 min' AND backend_type = 'client backend'
       ORDER BY xact_start""";

  private static final String SUBSCRIPTIONS =
      """
      SELECT subname FROM pg_subscription
       WHERE subenabled
         AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())""";

  private ShardChecks() {}

  static List<Check> of(Subject subject) {
    return List.of(
        Checks.check("version", () -> each(subject, ShardChecks::version)),
        none(
            subject,
            "primary",
            "SELECT '' WHERE pg_is_in_recovery()",
            Finding.blocker("is a standby").todo("give the primary's address under shards")),
        none(
            subject,
            "prepared transactions",
            PREPARED,
            Finding.blocker(
                    "prepared transactions that have waited for more than a minute; no replication slot can be made, and no fence drained, before they end")
                .todo("COMMIT PREPARED or ROLLBACK PREPARED them")),
        none(
            subject,
            "old transactions",
            OLD,
            Finding.blocker(
                    "transactions older than 10 minutes; no replication slot can be made before they end")
                .todo("end them, or wait")),
        none(
            subject,
            "subscriptions",
            SUBSCRIPTIONS,
            Finding.blocker(
                    "the shard subscribes to a publication; those writes pass by the router")
                .todo("end the subscription first")));
  }

  private static List<Finding> each(Subject subject, CheckSessions.Question<List<Finding>> question)
      throws InterruptedException {
    return subject.sessions().look(subject.shards(), question);
  }

  /** A query whose rows are what should not be: they become the finding's detail. */
  private static Check none(Subject subject, String name, String sql, Finding otherwise) {
    return Checks.check(
        name,
        () ->
            each(
                subject,
                session -> {
                  List<Finding> findings = new ArrayList<>();
                  for (String found : session.texts(sql)) {
                    findings.add(otherwise.at(session.shard()).detail(found));
                  }
                  return findings;
                }));
  }

  private static List<Finding> version(CheckSession session) throws java.sql.SQLException {
    return judge(session.version()).stream().map(finding -> finding.at(session.shard())).toList();
  }

  /** What there is to say of a server's major version. */
  static List<Finding> judge(int version) {
    if (version >= FIRST_VERSION && version <= LAST_VERSION) {
      return List.of();
    }
    if (version > LAST_VERSION) {
      return List.of(
          Finding.note(
                  "PostgreSQL %d is newer than this program knows (%d to %d)"
                      .formatted(version, FIRST_VERSION, LAST_VERSION))
              .todo("try the whole way on a copy first"));
    }
    String what = "PostgreSQL %d is older than %d".formatted(version, FIRST_VERSION);
    return List.of(
        version == FIRST_VERSION - 1
            ? Finding.note(
                    what + ", where only a superuser can let us set session_replication_role")
                .todo("upgrade it, or it stays at the blocker of that right")
            : Finding.blocker(what).todo("upgrade it"));
  }
}
