package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.preflight.CheckSessions.Answers;
import dev.reshard.preflight.Rights.Right;
import dev.reshard.spec.Spec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The SQL that gives our role its rights: plain statements that may be run again, without a
 * password. Stateless.
 */
final class Grants {
  /** Roles belong to a server, and several shards may be on one. */
  private static final String ROLE =
      """
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %s) THEN
          CREATE ROLE %s LOGIN REPLICATION;
        END IF;
      END $$;""";

  /** For a shard that we cannot look into: whoever owns tables there, save superusers. */
  private static final String OWNERS =
      """
      DO $$ DECLARE owner name; BEGIN
        FOR owner IN
          SELECT DISTINCT r.rolname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
           WHERE n.nspname IN (%s) AND c.relkind IN ('r', 'p') AND NOT r.rolsuper
             AND r.rolname <> %s
        LOOP
          EXECUTE pg_catalog.format('GRANT %%I TO %%I', owner, %s);
        END LOOP;
      END $$;""";

  private static final String OPTIONAL =
      "-- GRANT pg_signal_backend TO %s;  -- optional: ends sessions that hold up a cutover";

  private Grants() {}

  /**
   * A line each.
   *
   * @param all also what our role has already
   */
  static List<String> sql(Subject subject, boolean all) throws InterruptedException {
    Map<TableId, String> atHome = Rights.ownersAtHome(subject);
    Answers<List<Right>> rights =
        subject.sessions().ask(subject.shards(), session -> Rights.of(session, subject, atHome));
    List<String> lines = new ArrayList<>();
    for (ShardId shard : subject.spec().shards().keySet()) {
      List<String> sql = new ArrayList<>();
      if (rights.values().containsKey(shard)) {
        sql.addAll(sql(subject.spec().shards().get(shard), rights.values().get(shard), all));
      } else if (isUnreachable(subject, shard)) {
        sql.addAll(unseen(subject.spec(), subject.spec().shards().get(shard)));
      }
      if (!sql.isEmpty()) {
        lines.add(head(subject.spec().shards().get(shard)));
        lines.addAll(sql);
      }
    }
    return lines;
  }

  private static boolean isUnreachable(Subject subject, ShardId shard) {
    return subject.sessions().unreachable().stream()
        .anyMatch(finding -> finding.shard().filter(shard::equals).isPresent());
  }

  private static String head(Spec.Shard shard) {
    return "-- Shard %s: run it as a superuser in %s"
        .formatted(shard.id(), shard.url().replaceFirst("\\?.*", "").replaceFirst("^jdbc:", ""));
  }

  private static List<String> sql(Spec.Shard shard, List<Right> rights, boolean all) {
    List<String> sql = new ArrayList<>();
    if (all) {
      sql.add(role(shard.user()));
    }
    for (Right right : rights) {
      if (!right.held() && right.sql().isEmpty()) {
        sql.add("-- %s: %s".formatted(right.what(), right.todo()));
      } else if ((all || !right.held()) && !right.sql().isEmpty()) {
        sql.add("%s  -- %s".formatted(right.sql(), right.why()));
      }
    }
    if (all) {
      sql.add(OPTIONAL.formatted(TableId.quote(shard.user())));
    }
    return sql;
  }

  private static String role(String user) {
    return ROLE.formatted(literal(user), TableId.quote(user))
        + "\n-- its password, in psql: \\password "
        + TableId.quote(user);
  }

  private static List<String> unseen(Spec spec, Spec.Shard shard) {
    String user = TableId.quote(shard.user());
    String schemas =
        TableLists.schemas(spec.keyspace()).stream()
            .map(Grants::literal)
            .collect(Collectors.joining(", "));
    return List.of(
        role(shard.user()),
        "ALTER ROLE %s LOGIN REPLICATION;".formatted(user),
        OWNERS.formatted(schemas, literal(shard.user()), literal(shard.user())),
        "DO $$ BEGIN EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %%I TO %%I', pg_catalog.current_database(), %s); END $$;"
            .formatted(literal(shard.user())),
        "GRANT pg_monitor TO %s;".formatted(user),
        "GRANT SET ON PARAMETER session_replication_role TO %s;".formatted(user),
        OPTIONAL.formatted(user));
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
