package dev.reshard.preflight;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.KeySample.Row;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether some rows of each table lie where the map and the function say: if not, these are not the
 * application's, which is cheaper to learn now than after copying. Immutable.
 */
final class RowSample implements Check {
  /** Of each table. A wrong function would give about half of them to other shards, or more. */
  private static final int ROWS = 1_000;

  private static final Duration MOST = Duration.ofSeconds(2);

  /** For all tables of a shard. */
  private static final Duration ALL = Duration.ofSeconds(6);

  private final Subject subject;

  RowSample(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "rows where the map says";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject.sessions().look(subject.serving(), this::on);
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    ShardId shard = session.shard();
    BucketSet expected = subject.expectedAt(shard);
    TimeBox box = new TimeBox(session, MOST, ALL);
    List<Finding> findings = new ArrayList<>();
    for (ShardedTable sharded : subject.placed(shard)) {
      Optional<KeySample> sample = KeySample.read(subject, box, sharded, ROWS);
      if (sample.isEmpty()) {
        findings.add(
            Finding.note(
                    "no row could be looked at (no right, a lock, or no time), so nothing is known of where they lie")
                .at(shard)
                .on(sharded.id())
                .todo("check again; copying looks at every row"));
      } else {
        strays(sharded, sample.get().rows(), expected)
            .ifPresent(found -> findings.add(found.at(shard).on(sharded.id())));
        homeless(sharded, sample.get().rows())
            .ifPresent(found -> findings.add(found.at(shard).on(sharded.id())));
      }
    }
    return findings;
  }

  private static Optional<Finding> strays(
      ShardedTable sharded, List<Row> rows, BucketSet expected) {
    List<Row> strays =
        rows.stream()
            .filter(row -> row.bucket() != RowBuckets.NONE && !expected.contains(row.bucket()))
            .toList();
    return strays.isEmpty()
        ? Optional.empty()
        : Optional.of(
            Finding.blocker(
                    "rows of buckets that belong to other shards: the map or the function is not your application's")
                .detail(some(sharded, strays, rows))
                .todo(
                    "correct keyspace.buckets or from; if only a few rows are astray, find out what put them there and move them"));
  }

  private Optional<Finding> homeless(ShardedTable sharded, List<Row> rows) {
    List<Row> homeless = rows.stream().filter(row -> row.bucket() == RowBuckets.NONE).toList();
    if (homeless.isEmpty()) {
      return Optional.empty();
    }
    int last = subject.keyspace().partitioning().count() - 1;
    return Optional.of(
        subject.keyspace().partitioning().isPartial()
            ? Finding.note("rows whose key is not in your directory: they stay where they are")
                .detail(some(sharded, homeless, rows))
            : Finding.blocker(
                    "rows of no bucket: your function gives NULL, or a number that is not 0 to %d"
                        .formatted(last))
                .detail(some(sharded, homeless, rows))
                .todo(
                    "correct keyspace.buckets.count, or make the function give each key a bucket"));
  }

  private static String some(ShardedTable sharded, List<Row> some, List<Row> all) {
    return "%d of %d rows, e.g. of %s %s"
        .formatted(some.size(), all.size(), sharded.key(), some.get(0).key());
  }
}
