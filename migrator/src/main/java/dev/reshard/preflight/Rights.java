package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Whether our role has the rights it needs on each shard, and no more. Immutable. */
final class Rights implements Check {
  /** What they are called among the findings. */
  static final String NAME = "rights";

  /** On Amazon RDS a role replicates by membership, not by attribute. */
  private static final String SERVER =
      """
      SELECT r.rolname, current_database(), r.rolsuper,
             r.rolreplication OR EXISTS (SELECT FROM pg_roles rds
               WHERE rds.rolname = 'rds_replication' AND pg_has_role(rds.oid, 'USAGE')),
             has_database_privilege(current_database(), 'CREATE'),
             pg_has_role('pg_monitor', 'USAGE'),
             (SELECT pg_get_userbyid(nspowner) FROM pg_namespace
               WHERE nspname = 'reshard' AND NOT pg_has_role(nspowner, 'USAGE')),
             r.rolinherit
        FROM pg_roles r WHERE r.rolname = current_user""";

  private static final String PARAMETER =
      "SELECT has_parameter_privilege('session_replication_role', 'SET')";

  /** Who owns the tables, their partitions and the sequences that belong to them. */
  private static final String OWNERS =
      """
      WITH tree AS (
        SELECT root.oid AS root, root.oid AS oid FROM unnest(?) AS root(oid)
        UNION
        SELECT root.oid, t.relid FROM unnest(?) AS root(oid), pg_partition_tree(root.oid) t),
      owned AS (
        SELECT root, oid FROM tree
        UNION
        SELECT tree.root, d.objid FROM tree
          JOIN pg_depend d ON d.refobjid = tree.oid AND d.refclassid = 'pg_class'::regclass
           AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
          JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S')
      SELECT DISTINCT owned.root, r.rolname, r.rolsuper, pg_has_role(r.oid, 'USAGE')
        FROM owned JOIN pg_class c ON c.oid = owned.oid JOIN pg_roles r ON r.oid = c.relowner
       WHERE r.rolname <> current_user""";

  /** Of the tables that a shard lacks: they are made there for the same role. */
  private static final String OWNERS_TO_BE =
      """
      SELECT r.rolname, pg_has_role(r.oid, 'USAGE') FROM pg_roles r
       WHERE r.rolname = ANY (?) AND r.rolname <> current_user AND NOT r.rolsuper ORDER BY 1""";

  private static final String OWNER =
      """
      SELECT c.oid, r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
       WHERE c.oid = ANY (?)""";

  private static final String SCHEMAS =
      """
      SELECT nspname, has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE')
        FROM pg_namespace WHERE nspname = ANY (?) ORDER BY 1""";

  private final Subject subject;

  Rights(Subject subject) {
    this.subject = subject;
  }

  /**
   * One right on one shard.
   *
   * @param what how its absence reads
   * @param why what it is for
   * @param sql grants it; empty if no statement of ours should
   */
  record Right(boolean held, String what, String why, String sql, String todo) {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    Map<TableId, String> atHome = ownersAtHome(subject);
    return subject.sessions().look(subject.shards(), session -> missing(session, atHome));
  }

  private List<Finding> missing(CheckSession session, Map<TableId, String> atHome)
      throws SQLException {
    return of(session, subject, atHome).stream()
        .filter(right -> !right.held)
        .map(
            right ->
                Finding.blocker(right.what)
                    .at(session.shard())
                    .todo(right.todo.isEmpty() ? right.sql.replaceFirst(";$", "") : right.todo)
                    .sql(right.sql))
        .toList();
  }

  /** Who owns the keyspace's tables on the control shard; nothing if it cannot be asked. */
  static Map<TableId, String> ownersAtHome(Subject subject) throws InterruptedException {
    ShardId home = subject.spec().control();
    return subject
        .sessions()
        .ask(Set.of(home), session -> ownersAt(session, ids(subject, home)))
        .values()
        .getOrDefault(home, Map.of());
  }

  private static Map<TableId, String> ownersAt(CheckSession session, Map<Long, TableId> ids)
      throws SQLException {
    Map<TableId, String> owners = new TreeMap<>();
    session.query(
        OWNER,
        row -> owners.put(ids.get(row.getLong(1)), row.getString(2)),
        session.oids(ids.keySet()));
    return owners;
  }

  private static Map<Long, TableId> ids(Subject subject, ShardId shard) {
    Map<Long, TableId> ids = new HashMap<>();
    for (TableId id : subject.tableIds()) {
      subject.table(shard, id).map(Table::oid).ifPresent(oid -> ids.put(oid, id));
    }
    return ids;
  }

  /**
   * All rights, held or not, in the order in which to grant them.
   *
   * @param atHome who owns the tables that this shard may lack
   */
  static List<Right> of(CheckSession session, Subject subject, Map<TableId, String> atHome)
      throws SQLException {
    List<Right> rights = new ArrayList<>(onServer(session));
    String role = TableId.quote(session.texts("SELECT current_user").get(0));
    Map<Long, TableId> ids = ids(subject, session.shard());
    rights.addAll(owners(session, ids, role, inherit(session)));
    Map<TableId, String> lacking = new TreeMap<>(atHome);
    lacking.keySet().removeAll(ids.values());
    rights.addAll(ownersToBe(session, lacking, rights, role));
    Set<String> schemas =
        subject.tableIds().stream()
            .map(TableId::schema)
            .collect(Collectors.toCollection(TreeSet::new));
    session
        .query(
            SCHEMAS,
            row -> {
              String schema = row.getString(1);
              return new Right(
                  row.getBoolean(2),
                  "our role lacks USAGE and CREATE on schema " + schema,
                  "row keys may need an index",
                  "GRANT USAGE, CREATE ON SCHEMA %s TO %s;".formatted(TableId.quote(schema), role),
                  "");
            },
            session.texts(schemas))
        .forEach(rights::add);
    return rights;
  }

  /** From 16 on each grant says whether its rights are used without SET ROLE. */
  private static String inherit(CheckSession session) throws SQLException {
    return session.version() >= 16 ? " WITH INHERIT TRUE" : "";
  }

  private static List<Right> onServer(CheckSession session) throws SQLException {
    boolean mayBeGranted = session.version() >= 15;
    String inherit = inherit(session);
    boolean parameter = mayBeGranted && session.texts(PARAMETER).equals(List.of("t"));
    return session
        .query(
            SERVER,
            row -> {
              String role = TableId.quote(row.getString(1));
              return List.of(
                  new Right(
                      !row.getBoolean(3),
                      "our role is a superuser, whom row security, quotas and limits do not stop",
                      "",
                      "",
                      "make a role of its own and put it under login: 'reshard check --grants=all' prints its SQL"),
                  new Right(
                      row.getBoolean(4),
                      "our role lacks REPLICATION",
                      "replication slots",
                      "ALTER ROLE %s REPLICATION;".formatted(role),
                      ""),
                  new Right(
                      row.getBoolean(5),
                      "our role lacks CREATE on the database",
                      "schema reshard, publications",
                      "GRANT CREATE ON DATABASE %s TO %s;"
                          .formatted(TableId.quote(row.getString(2)), role),
                      ""),
                  new Right(
                      row.getBoolean(8) || !inherit.isEmpty(),
                      "our role has NOINHERIT, so that it may do nothing that its groups may",
                      "what it is granted below",
                      "ALTER ROLE %s INHERIT;".formatted(role),
                      ""),
                  new Right(
                      row.getBoolean(6),
                      "our role is no member of pg_monitor, so old transactions of others cannot be seen",
                      "sees what others run, and since when",
                      "GRANT pg_monitor TO %s%s;".formatted(role, inherit),
                      ""),
                  new Right(
                      parameter,
                      "our role may not set session_replication_role",
                      "what we write fires no trigger of yours",
                      mayBeGranted
                          ? "GRANT SET ON PARAMETER session_replication_role TO %s;".formatted(role)
                          : "",
                      mayBeGranted ? "" : "upgrade: before PostgreSQL 15 only superusers may"),
                  new Right(
                      row.getString(7) == null,
                      "schema reshard belongs to %s, of which our role is no member"
                          .formatted(row.getString(7)),
                      "",
                      "",
                      "if it is left of another installation, drop it or give it to our role"));
            })
        .get(0);
  }

  /** Those who are to own what is made here, save those who own something already. */
  private static List<Right> ownersToBe(
      CheckSession session, Map<TableId, String> lacking, List<Right> known, String role)
      throws SQLException {
    String inherit = inherit(session);
    return session
        .query(
            OWNERS_TO_BE,
            row -> {
              String owner = row.getString(1);
              return new Right(
                  row.getBoolean(2),
                  "our role is no member of %s, which is to own the tables that are made there"
                      .formatted(owner),
                  "will own the tables",
                  "GRANT %s TO %s%s;".formatted(TableId.quote(owner), role, inherit),
                  "");
            },
            session.texts(new TreeSet<>(lacking.values())))
        .stream()
        .filter(right -> known.stream().noneMatch(other -> other.sql.equals(right.sql)))
        .toList();
  }

  private static List<Right> owners(
      CheckSession session, Map<Long, TableId> ids, String role, String inherit)
      throws SQLException {
    Map<String, Set<TableId>> tables = new TreeMap<>();
    Map<String, Boolean> superuser = new HashMap<>();
    Map<String, Boolean> held = new HashMap<>();
    session.query(
        OWNERS,
        row -> {
          tables
              .computeIfAbsent(row.getString(2), owner -> new TreeSet<>())
              .add(ids.get(row.getLong(1)));
          superuser.put(row.getString(2), row.getBoolean(3));
          return held.put(row.getString(2), row.getBoolean(4));
        },
        session.oids(ids.keySet()),
        session.oids(ids.keySet()));
    List<Right> rights = new ArrayList<>();
    tables.forEach(
        (owner, owned) -> {
          String what =
              "our role is no member of %s, which owns %s%s"
                  .formatted(
                      owner,
                      owned.iterator().next(),
                      owned.size() > 1 ? " and %d more".formatted(owned.size() - 1) : "");
          rights.add(
              superuser.get(owner)
                  ? new Right(
                      held.get(owner),
                      what + " and is a superuser",
                      "",
                      "",
                      "give the tables an owner of their own, without superuser: REASSIGN OWNED or ALTER TABLE .. OWNER TO; then --grants again")
                  : new Right(
                      held.get(owner),
                      what,
                      "owns the tables: triggers, row keys, publications",
                      "GRANT %s TO %s%s;".formatted(TableId.quote(owner), role, inherit),
                      ""));
        });
    return rights;
  }
}
