package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import dev.reshard.preflight.CheckSessions.Answers;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Whether the user's own function can place rows: it is there on every shard, the same, of one key,
 * for ever the same answer, and whoever writes may run it, for a guard's triggers run it as the
 * writer (HAZARDS F27). Confined to one thread.
 */
final class OwnFunction {
  private static final String FUNCTIONS =
      """
      SELECT p.oid, p.prokind = 'f' AND p.pronargs = 1 AND NOT p.proretset AND p.provariadic = 0
               AND p.prorettype IN ('int2'::regtype, 'int4'::regtype)
               AND NOT EXISTS (SELECT FROM pg_type a WHERE a.oid = p.proargtypes[0] AND a.typtype = 'p'),
             p.provolatile, format_type(p.proargtypes[0], NULL),
             CASE WHEN p.prokind = 'f' THEN pg_get_functiondef(p.oid) END
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE n.nspname = ? AND p.proname = ?""";

  /** Roles that may write a table, and we ourselves, who may not run the function. */
  private static final String KEPT_OUT =
      """
      SELECT r.rolname FROM pg_roles r, pg_proc p
       WHERE p.oid = ? AND NOT r.rolsuper AND r.rolname !~ '^pg_'
         AND NOT (has_function_privilege(r.oid, p.oid, 'EXECUTE')
              AND has_schema_privilege(r.oid, p.pronamespace, 'USAGE'))
         AND (r.rolname = current_user OR EXISTS (
           SELECT FROM unnest(?) t(oid) WHERE has_table_privilege(r.oid, t.oid, 'DELETE')
             OR has_any_column_privilege(r.oid, t.oid, 'INSERT')
             OR has_any_column_privilege(r.oid, t.oid, 'UPDATE')))
       ORDER BY 1""";

  private final SqlBuckets buckets;
  private final List<ShardedTable> sharded;
  private final Map<ShardId, ? extends Map<TableId, Table>> tables;
  private final String name;

  private OwnFunction(
      SqlBuckets buckets,
      List<ShardedTable> sharded,
      Map<ShardId, ? extends Map<TableId, Table>> tables) {
    this.buckets = buckets;
    this.sharded = sharded;
    this.tables = tables;
    this.name = buckets.schema() + "." + buckets.function();
  }

  /** A function of that name. */
  private record Function(
      long oid, boolean fits, String volatility, String argument, String definition) {}

  /**
   * What is wrong; empty if the function can be called wherever there are rows.
   *
   * @param tables the keyspace's, as each shard has them
   */
  static List<Finding> problems(
      SqlBuckets buckets,
      List<ShardedTable> sharded,
      CheckSessions sessions,
      Map<ShardId, ? extends Map<TableId, Table>> tables)
      throws InterruptedException {
    OwnFunction own = new OwnFunction(buckets, sharded, tables);
    Answers<List<Function>> answers = sessions.ask(tables.keySet(), own::read);
    List<Finding> findings = new ArrayList<>(answers.failures());
    Map<ShardId, Function> found = new TreeMap<>();
    answers
        .values()
        .forEach(
            (shard, functions) -> {
              if (functions.size() == 1) {
                found.put(shard, functions.get(0));
              }
            });
    answers
        .values()
        .forEach(
            (shard, functions) -> {
              if (functions.isEmpty()) {
                findings.add(own.missing(found).at(shard));
              } else if (functions.size() > 1) {
                findings.add(own.ambiguous(functions.size()).at(shard));
              }
            });
    found.forEach(
        (shard, function) -> own.shape(function).ifPresent(f -> findings.add(f.at(shard))));
    findings.addAll(own.differences(found));
    findings.addAll(sessions.look(found.keySet(), session -> own.uses(session, found)));
    return findings;
  }

  private List<Function> read(CheckSession session) throws SQLException {
    return session.query(FUNCTIONS, OwnFunction::function, buckets.schema(), buckets.function());
  }

  private static Function function(ResultSet row) throws SQLException {
    return new Function(
        row.getLong(1), row.getBoolean(2), row.getString(3), row.getString(4), row.getString(5));
  }

  private Finding missing(Map<ShardId, Function> found) {
    Finding missing =
        Finding.blocker(
            "has no function %s, which keyspace.buckets names, so it could not tell whose a row is"
                .formatted(name));
    Optional<Map.Entry<ShardId, Function>> pattern =
        found.entrySet().stream().filter(entry -> entry.getValue().fits).findFirst();
    if (pattern.isEmpty()) {
      return missing.todo("create it, the same on every shard");
    }
    String schema = TableId.quote(buckets.schema());
    return missing
        .todo("create it there as it is on " + pattern.get().getKey())
        .sql(
            "CREATE SCHEMA IF NOT EXISTS %1$s;\nGRANT USAGE ON SCHEMA %1$s TO PUBLIC;\n%2$s;"
                .formatted(schema, pattern.get().getValue().definition.strip()));
  }

  private Finding ambiguous(int functions) {
    return Finding.blocker(
            "has %d functions %s: which one a router's text would call is not certain"
                .formatted(functions, name))
        .todo("give the one that places rows a name of its own");
  }

  private Optional<Finding> shape(Function function) {
    if (!function.fits) {
      return Optional.of(
          Finding.blocker(
                  "%s is no function of one argument, the key, that returns integer"
                      .formatted(name))
              .todo("wrap it into one that is"));
    }
    if (!function.volatility.equals("i")) {
      return Optional.of(
          Finding.blocker(
                  "%s is %s: a row whose bucket may change cannot be moved"
                      .formatted(name, function.volatility.equals("s") ? "STABLE" : "VOLATILE"))
              .todo(
                  "if it reads no table and no setting: ALTER FUNCTION %s(%s) IMMUTABLE"
                      .formatted(name, function.argument)));
    }
    return Optional.empty();
  }

  /** All are compared with the first, so that one that is odd is named, whichever it is. */
  private List<Finding> differences(Map<ShardId, Function> found) {
    List<Finding> findings = new ArrayList<>();
    found.forEach(
        (shard, function) -> {
          Map.Entry<ShardId, Function> first = found.entrySet().iterator().next();
          if (function.definition != null
              && !function.definition.equals(first.getValue().definition)) {
            findings.add(
                Finding.blocker(
                        "%s is not the function that it is on %s: a key would have two buckets"
                            .formatted(name, first.getKey()))
                    .at(shard)
                    .todo("find out which one placed the rows, and make it the same everywhere"));
          }
        });
    return findings;
  }

  /** Who may not run it, and which key's type it does not take. */
  private List<Finding> uses(CheckSession session, Map<ShardId, Function> found)
      throws SQLException {
    Function function = found.get(session.shard());
    Map<TableId, Table> here = tables.get(session.shard());
    List<Finding> findings = new ArrayList<>();
    List<Long> oids =
        sharded.stream()
            .map(ShardedTable::id)
            .filter(here::containsKey)
            .map(id -> here.get(id).oid())
            .toList();
    for (String role : session.texts(KEPT_OUT, function.oid, session.oids(oids))) {
      findings.add(keptOut(role, function).at(session.shard()));
    }
    if (findings.isEmpty() && function.fits) {
      for (ShardedTable table : sharded) {
        if (here.containsKey(table.id()) && here.get(table.id()).hasColumn(table.key())) {
          tried(session, table).ifPresent(f -> findings.add(f.at(session.shard()).on(table.id())));
        }
      }
    }
    return findings;
  }

  private Finding keptOut(String role, Function function) {
    return Finding.blocker(
            "role %s may not run %s: a guard's trigger runs it as whoever writes, so that role's writes would all fail"
                .formatted(role, name))
        .todo("grant USAGE on its schema and EXECUTE")
        .sql(
            "GRANT USAGE ON SCHEMA %1$s TO %4$s;\nGRANT EXECUTE ON FUNCTION %1$s.%2$s(%3$s) TO %4$s;"
                .formatted(
                    TableId.quote(buckets.schema()),
                    TableId.quote(buckets.function()),
                    function.argument,
                    TableId.quote(role)));
  }

  /** One row, if there is one: a function that is not there for the key's type fails without. */
  private Optional<Finding> tried(CheckSession session, ShardedTable table) throws SQLException {
    String key = TableId.quote(table.key());
    try {
      session.query(
          "SELECT %s FROM %s WHERE %s IS NOT NULL LIMIT 1"
              .formatted(buckets.sql(key), table.id().quoted(), key),
          row -> row.getString(1));
      return Optional.empty();
    } catch (SQLException e) {
      return CheckSession.isInTheWay(e)
          ? Optional.empty()
          : Optional.of(
              Finding.blocker(
                      "%s cannot be called with %s (SQLSTATE %s, search_path = pg_catalog)"
                          .formatted(name, table.key(), e.getSQLState()))
                  .todo(
                      "it must take the key's type, name the schema of all that it uses, and fail for no key"));
    }
  }
}
