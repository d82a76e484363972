package dev.reshard.preflight;

import dev.reshard.keyspace.TableId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Whether another migration has the keyspace, or some of its buckets; or has a table of it in
 * another keyspace, or from another control database: both would arm the same table, each in its
 * own way, one after the other. Immutable.
 */
final class OtherMigrations implements Check {
  private static final String INSTALLED =
      "SELECT '' WHERE to_regclass('reshard.claim') IS NOT NULL";

  private static final String OTHERS =
      """
      SELECT m.name, m.state,
             (SELECT count(*) FROM reshard.claim c WHERE c.migration = m.name AND c.keyspace = m.keyspace)
        FROM reshard.migration m
       WHERE m.keyspace = ? AND m.name <> ? AND m.state <> 'CLEANED'
       ORDER BY 1""";

  private static final String ARMED = "SELECT '' WHERE to_regclass('reshard.guard') IS NOT NULL";

  private static final String GUARDED =
      """
      SELECT DISTINCT g.migration, g.keyspace, n.nspname, c.relname
        FROM reshard.guard g CROSS JOIN LATERAL unnest(g.tables) t(root)
        JOIN pg_class c ON c.oid = t.root JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE g.migration <> ? ORDER BY 3, 4, 1""";

  private final Subject subject;

  OtherMigrations(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "other migrations";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    List<Finding> findings =
        new ArrayList<>(subject.sessions().look(Set.of(subject.spec().control()), this::on));
    findings.addAll(subject.sessions().look(subject.shards(), this::guardedOn));
    return findings;
  }

  private record Guarded(String migration, String keyspace, TableId table) {}

  private List<Finding> guardedOn(CheckSession session) throws SQLException {
    if (session.texts(ARMED).isEmpty()) {
      return List.of();
    }
    List<Guarded> guarded =
        session.query(
            GUARDED,
            row ->
                new Guarded(
                    row.getString(1),
                    row.getString(2),
                    new TableId(row.getString(3), row.getString(4))),
            subject.spec().migration());
    return guarded.stream()
        .filter(other -> subject.tableIds().contains(other.table))
        .map(
            other ->
                Finding.blocker(
                        "migration %s of keyspace %s moves rows of this table"
                            .formatted(other.migration, other.keyspace))
                    .at(session.shard())
                    .on(other.table)
                    .todo("complete or cancel that one first"))
        .toList();
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    if (session.texts(INSTALLED).isEmpty()) {
      return List.of();
    }
    return new ArrayList<>(
        session.query(
            OTHERS,
            row ->
                Finding.blocker(
                        "migration %s of this keyspace is %s and has %d buckets"
                            .formatted(row.getString(1), row.getString(2), row.getLong(3)))
                    .at(session.shard())
                    .todo("complete or cancel that one first"),
            subject.spec().keyspace().name(),
            subject.spec().migration()));
  }
}
