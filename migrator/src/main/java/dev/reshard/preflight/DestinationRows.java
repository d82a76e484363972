package dev.reshard.preflight;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether a destination has rows already that are about to come from elsewhere; only before the
 * migration is begun. Immutable.
 */
final class DestinationRows implements Check {
  /** Of each table, where the server cannot find buckets. */
  private static final int ROWS = 10_000;

  private static final Duration MOST = Duration.ofSeconds(1);

  /** For all tables of a shard. */
  private static final Duration ALL = Duration.ofSeconds(4);

  private final Subject subject;

  DestinationRows(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "room at destinations";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject.begun()
        ? List.of()
        : subject.sessions().look(subject.moves().destinations(), this::on);
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    ShardId shard = session.shard();
    TimeBox box = new TimeBox(session, MOST, ALL);
    List<Finding> findings = new ArrayList<>();
    boolean isNew = subject.newShards().contains(shard);
    for (ShardedTable sharded : subject.placed(shard)) {
      (isNew ? anyRow(box, sharded.id()) : coming(box, sharded))
          .ifPresent(found -> findings.add(found.at(shard).on(sharded.id())));
    }
    if (isNew) {
      for (TableId reference : subject.keyspace().reference()) {
        if (subject.table(shard, reference).isPresent()
            && has(box, "SELECT FROM %s LIMIT 1".formatted(reference.quoted())).orElse(false)) {
          findings.add(
              Finding.blocker(
                      "has rows, but reference tables of a shard that owns nothing yet are filled from %s"
                          .formatted(subject.spec().control()))
                  .at(shard)
                  .on(reference)
                  .todo("empty it there"));
        }
      }
    }
    return findings;
  }

  private Optional<Finding> anyRow(TimeBox box, TableId id) throws SQLException {
    return has(box, "SELECT FROM %s LIMIT 1".formatted(id.quoted())).orElse(false)
        ? Optional.of(
            Finding.blocker("has rows, but the shard owns no bucket yet")
                .todo(
                    "if the shard serves them, it belongs under from; else find out whose they are and delete them"))
        : Optional.empty();
  }

  private Optional<Finding> coming(TimeBox box, ShardedTable sharded) throws SQLException {
    BucketSet coming =
        subject.moves().to(box.shard()).stream()
            .map(Move::buckets)
            .reduce(BucketSet.empty(), BucketSet::plus);
    Optional<Boolean> found =
        subject.keyspace().partitioning().sqlSetup().isEmpty()
            ? hasRowOf(box, sharded, coming)
            : hasKeyOf(box, sharded, coming);
    if (found.isEmpty()) {
      return Optional.of(
          Finding.note("was not read in full to see whether it has rows of buckets that will come")
              .todo(
                  "'run' looks through all of it before it loads anything, and says so if there are"));
    }
    return found.get()
        ? Optional.of(
            Finding.blocker("has rows of buckets that are about to come from other shards")
                .todo(
                    "if from is right, find out whose they are and delete them; 'run' prints the query, and would refuse to load"))
        : Optional.empty();
  }

  /** All rows are looked at, by the server. */
  private Optional<Boolean> hasRowOf(TimeBox box, ShardedTable sharded, BucketSet coming)
      throws SQLException {
    Table table = subject.table(box.shard(), sharded.id()).orElseThrow();
    String where =
        subject.keyspace().partitioning().sqlIn(table.column(sharded.key()).quoted(), coming);
    return has(box, "SELECT FROM %s WHERE %s LIMIT 1".formatted(sharded.id().quoted(), where));
  }

  /** The server lacks the function, which a check does not make; so some rows are looked at. */
  private Optional<Boolean> hasKeyOf(TimeBox box, ShardedTable sharded, BucketSet coming)
      throws SQLException {
    Optional<KeySample> sample = KeySample.read(subject, box, sharded, ROWS);
    if (sample.isEmpty()) {
      return Optional.empty();
    }
    boolean found = sample.get().rows().stream().anyMatch(row -> coming.contains(row.bucket()));
    return found || sample.get().all() ? Optional.of(found) : Optional.empty();
  }

  private static Optional<Boolean> has(TimeBox box, String sql) throws SQLException {
    return box.query(sql, row -> true).map(rows -> !rows.isEmpty());
  }
}
