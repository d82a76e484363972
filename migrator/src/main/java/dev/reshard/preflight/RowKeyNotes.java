package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.RowKeyPlan;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a worker will do so that every change says the shard key, and how to do it beforehand: an
 * index of a large table is better built in a quiet hour (HAZARDS F1, F2). Immutable.
 */
final class RowKeyNotes implements Check {
  private static final String REFUSES =
      "SELECT current_setting('server_version_num')::int >= 180000";

  private static final String GENERATED =
      """
      SELECT n.nspname, c.relname
        FROM unnest(?, ?) AS wanted(schema, name)
        JOIN pg_namespace n ON n.nspname = wanted.schema
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
       WHERE c.relkind IN ('r', 'p')
         AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> ''
                        AND NOT a.attisdropped)""";

  private final Subject subject;

  RowKeyNotes(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "row keys";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    List<Finding> findings = new ArrayList<>();
    Set<TableId> full = new TreeSet<>();
    for (ShardId shard : subject.shards()) {
      for (RowKeyPlan plan : plans(shard)) {
        findings.addAll(finding(shard, plan));
        if (plan.kind() == RowKeyPlan.Kind.FULL
            || plan.table().identity().full()
            || !plan.partitions().isEmpty()) {
          full.add(plan.table().id());
        }
      }
    }
    findings.addAll(refusedWrites(full));
    return findings;
  }

  private List<RowKeyPlan> plans(ShardId shard) {
    List<RowKeyPlan> plans = new ArrayList<>();
    for (ShardedTable sharded : subject.keyed(shard)) {
      Table table = subject.table(shard, sharded.id()).orElseThrow();
      plans.add(RowKeyPlan.sharded(table, sharded.key()));
    }
    for (TableId reference : subject.keyspace().reference()) {
      subject.table(shard, reference).map(RowKeyPlan::reference).ifPresent(plans::add);
    }
    return plans;
  }

  /**
   * PostgreSQL 18 refuses every UPDATE and DELETE of a published table whose replica identity holds
   * a generated column that is not published (manual, CREATE PUBLICATION); all columns do. A shard
   * that lacks the table is given it.
   *
   * @param full tables whose identity is, or will be, all their columns on some shard
   */
  private List<Finding> refusedWrites(Set<TableId> full) throws InterruptedException {
    CheckSessions.Answers<There> answers =
        subject.sessions().ask(subject.shards(), session -> there(session, full));
    Set<TableId> generated = new TreeSet<>();
    answers.values().values().forEach(there -> generated.addAll(there.generated));
    List<Finding> findings = new ArrayList<>(answers.failures());
    for (Map.Entry<ShardId, There> shard : answers.values().entrySet()) {
      for (TableId table : shard.getValue().refuses ? generated : Set.<TableId>of()) {
        findings.add(
            Finding.blocker(
                    "has no key and a generated column: PostgreSQL 18 would refuse every UPDATE and DELETE of it while it is replicated")
                .todo("give it a primary key, or a unique index as its REPLICA IDENTITY")
                .at(shard.getKey())
                .on(table));
      }
    }
    return findings;
  }

  /**
   * What a shard says.
   *
   * @param refuses whether it is a PostgreSQL that refuses
   * @param generated the tables with such a column, be it left out in the file or not
   */
  private record There(boolean refuses, List<TableId> generated) {}

  private static There there(CheckSession session, Set<TableId> tables) throws SQLException {
    return new There(
        session.query(REFUSES, row -> row.getBoolean(1)).get(0),
        session.query(
            GENERATED,
            row -> new TableId(row.getString(1), row.getString(2)),
            session.texts(tables.stream().map(TableId::schema).toList()),
            session.texts(tables.stream().map(TableId::name).toList())));
  }

  private static List<Finding> finding(ShardId shard, RowKeyPlan plan) {
    TableId id = plan.table().id();
    String index = "row_key_%d".formatted(plan.table().oid());
    return switch (plan.kind()) {
      case NOTHING ->
          plan.isDone()
              ? List.of()
              : List.of(
                  Finding.note(
                          "has partitions whose replica identity says less than the table's, which does not reach them: 'run' sets REPLICA IDENTITY FULL on them, until it is cleaned up")
                      .at(shard)
                      .on(id)
                      .sql(set(plan, index)));
      case INDEX ->
          List.of(
              Finding.note(
                      "the replica identity lacks the shard key: 'run' builds a unique index over both and makes it the identity, until it is cleaned up")
                  .todo("to build it in a quiet hour, run what '--fixes' prints")
                  .at(shard)
                  .on(id)
                  .detail(String.join(" + ", plan.columns()))
                  .sql(plan.createIndex(index) + ";\n" + set(plan, index)));
      case FULL ->
          List.of(
              Finding.note(
                      "has no key that an index with the shard key could be made of: 'run' sets REPLICA IDENTITY FULL, until it is cleaned up; each UPDATE and DELETE then writes its whole old row to the WAL")
                  .todo("give it a primary key if it has many of them")
                  .at(shard)
                  .on(id)
                  .sql(set(plan, index)));
    };
  }

  private static String set(RowKeyPlan plan, String index) {
    return plan.settings(index).stream()
        .map(setting -> setting.sql() + ";")
        .collect(Collectors.joining("\n"));
  }
}
