package dev.reshard.preflight;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a table, or a partition of it, must not be or have, as we could not follow it or would fire
 * it twice (HAZARDS F6, F13, F28). Immutable.
 */
final class TableShapes implements Check {
  /** Every table with all that is below it. */
  private static final String TREE =
      """
      WITH tree AS (
        SELECT root.oid AS root, root.oid AS oid FROM unnest(?) AS root(oid)
        UNION
        SELECT root.oid, t.relid FROM unnest(?) AS root(oid), pg_partition_tree(root.oid) t)
      """;

  private static final String KIND =
      TREE
          + """
          SELECT tree.root, c.relpersistence <> 'p',
                 NOT c.relispartition AND c.relkind = 'r' AND EXISTS (
                   SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid OR h.inhparent = c.oid),
                 c.relkind = 'f', c.relrowsecurity, c.relforcerowsecurity,
                 CASE WHEN c.oid <> tree.root THEN 'partition ' || c.relname ELSE '' END,
                 tree.oid::regclass::text,
                 (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = current_user)
            FROM tree JOIN pg_class c ON c.oid = tree.oid
           ORDER BY 1, 7""";

  /** Triggers and rules that would fire once more when we write the row. */
  private static final String FIRES_TWICE =
      TREE
          + """
          SELECT tree.root, 'trigger ' || g.tgname, g.tgname, 'TRIGGER', tree.oid::regclass::text
            FROM tree JOIN pg_trigger g ON g.tgrelid = tree.oid
            JOIN pg_proc p ON p.oid = g.tgfoid
           WHERE NOT g.tgisinternal AND g.tgenabled IN ('A', 'R')
             AND p.pronamespace IS DISTINCT FROM to_regnamespace('reshard')
          UNION ALL
          SELECT tree.root, 'rule ' || r.rulename, r.rulename, 'RULE', tree.oid::regclass::text
            FROM tree JOIN pg_rewrite r ON r.ev_class = tree.oid
           WHERE r.ev_enabled IN ('A', 'R') AND r.rulename <> '_RETURN'
           ORDER BY 1, 2""";

  private final Subject subject;

  TableShapes(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "tables that can be followed";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject.sessions().look(subject.shards(), this::on);
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    Map<Long, TableId> ids = new HashMap<>();
    for (TableId id : subject.tableIds()) {
      subject.table(session.shard(), id).map(Table::oid).ifPresent(oid -> ids.put(oid, id));
    }
    List<Finding> findings = new ArrayList<>();
    session
        .query(
            KIND,
            row -> {
              List<Finding> found = new ArrayList<>();
              if (row.getBoolean(2)) {
                found.add(unfollowed("is not logged", "SET LOGGED"));
              }
              if (row.getBoolean(3)) {
                found.add(unfollowed("uses INHERITS", "use partitions"));
              }
              if (row.getBoolean(4)) {
                found.add(unfollowed("has a foreign table as partition", "detach it"));
              }
              boolean forced = row.getBoolean(6) && !row.getBoolean(9);
              rowSecurity(row.getBoolean(5), forced, row.getString(8), found);
              return placed(found, session, ids.get(row.getLong(1)), row.getString(7));
            },
            session.oids(ids.keySet()),
            session.oids(ids.keySet()))
        .forEach(findings::addAll);
    session
        .query(
            FIRES_TWICE,
            row -> {
              TableId id = ids.get(row.getLong(1));
              Finding twice =
                  Finding.blocker(
                          "has a trigger or rule with ENABLE ALWAYS or REPLICA, which would fire once more for every row we write")
                      .todo(
                          "make it a plain one ('--fixes' prints it), or list the table as ignored")
                      .sql(
                          "ALTER TABLE %s ENABLE %s %s;"
                              .formatted(
                                  row.getString(5),
                                  row.getString(4),
                                  TableId.quote(row.getString(3))));
              return placed(List.of(twice), session, id, row.getString(2));
            },
            session.oids(ids.keySet()),
            session.oids(ids.keySet()))
        .forEach(findings::addAll);
    return findings;
  }

  private static Finding unfollowed(String what, String way) {
    return Finding.blocker(what + ", which we cannot follow").todo(way + ", or list it as ignored");
  }

  /**
   * We own the tables, so that only FORCE filters us: our sessions then fail instead.
   *
   * @param forced and we do not bypass it
   */
  private static void rowSecurity(
      boolean enabled, boolean forced, String table, Collection<Finding> findings) {
    if (enabled && forced) {
      findings.add(
          Finding.blocker(
                  "has FORCE ROW LEVEL SECURITY, under which we could not read all rows, so that every read of ours is refused")
              .todo(
                  "NO FORCE ROW LEVEL SECURITY until the migration is complete, or ALTER ROLE .. BYPASSRLS")
              .sql("ALTER TABLE %s NO FORCE ROW LEVEL SECURITY;".formatted(table)));
    } else if (enabled) {
      findings.add(
          Finding.note(
                  "has row level security; we see all rows, as a member of the owner with row_security = off")
              .todo("see that every destination has the same policies"));
    }
  }

  private static List<Finding> placed(
      List<Finding> findings, CheckSession session, TableId id, String detail) {
    return findings.stream().map(f -> f.at(session.shard()).on(id).detail(detail)).toList();
  }
}
