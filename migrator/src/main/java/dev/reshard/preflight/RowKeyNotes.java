package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.RowKeyPlan;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a worker will do so that every change says the shard key, and how to do it beforehand: an
 * index of a large table is better built in a quiet hour (HAZARDS F1, F2). Immutable.
 */
final class RowKeyNotes implements Check {
  private static final String REFUSES =
      "SELECT current_setting('server_version_num')::int >= 180000";

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
    for (ShardId shard : subject.shards()) {
      plans(shard).forEach(plan -> findings.addAll(finding(shard, plan)));
    }
    findings.addAll(subject.sessions().look(subject.shards(), this::refusedWrites));
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
   * a generated column that is not published (manual, CREATE PUBLICATION); all columns do.
   */
  private List<Finding> refusedWrites(CheckSession session) throws SQLException {
    if (!session.query(REFUSES, row -> row.getBoolean(1)).get(0)) {
      return List.of();
    }
    return plans(session.shard()).stream()
        .filter(plan -> plan.kind() == RowKeyPlan.Kind.FULL || plan.table().identity().full())
        .filter(plan -> plan.table().columns().stream().anyMatch(Column::generated))
        .map(
            plan ->
                Finding.blocker(
                        "has no key and a generated column: PostgreSQL 18 would refuse every UPDATE and DELETE of it while it is replicated")
                    .todo("give it a primary key, or a unique index as its REPLICA IDENTITY")
                    .at(session.shard())
                    .on(plan.table().id()))
        .toList();
  }

  private static List<Finding> finding(ShardId shard, RowKeyPlan plan) {
    TableId id = plan.table().id();
    String index = "row_key_%d".formatted(plan.table().oid());
    return switch (plan.kind()) {
      case NOTHING -> List.of();
      case INDEX ->
          List.of(
              Finding.note(
                      "the replica identity lacks the shard key: 'run' builds a unique index over both and makes it the identity, until it is cleaned up")
                  .todo("to build it in a quiet hour, run what '--fixes' prints")
                  .at(shard)
                  .on(id)
                  .detail(String.join(" + ", plan.columns()))
                  .sql(plan.createIndex(index) + ";\n" + plan.setIdentity(index) + ";"));
      case FULL ->
          List.of(
              Finding.note(
                      "has no key that an index with the shard key could be made of: 'run' sets REPLICA IDENTITY FULL, until it is cleaned up; each UPDATE and DELETE then writes its whole old row to the WAL")
                  .todo("give it a primary key if it has many of them")
                  .at(shard)
                  .on(id)
                  .sql(plan.setIdentity(index) + ";"));
    };
  }
}
