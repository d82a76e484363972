package dev.reshard.preflight;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Whether another migration has the keyspace, or some of its buckets. Immutable. */
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
    return subject.sessions().look(Set.of(subject.spec().control()), this::on);
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
