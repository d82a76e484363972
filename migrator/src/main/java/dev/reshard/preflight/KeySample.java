package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * The shard keys of some rows, and their buckets. Immutable.
 *
 * @param all whether the table has no others
 */
record KeySample(List<Row> rows, boolean all) {

  KeySample {
    rows = List.copyOf(rows);
  }

  /**
   * A row's key as PostgreSQL writes it as text.
   *
   * @param bucket {@link RowBuckets#NONE} if the key has none
   */
  record Row(String key, int bucket) {}

  /** About so many keys from all over the table; empty if they could not be read in time. */
  static Optional<KeySample> read(Subject subject, TimeBox box, ShardedTable sharded, int rows)
      throws SQLException {
    TableId id = sharded.id();
    Table table = subject.table(box.shard(), id).orElseThrow();
    String key = table.column(sharded.key()).quoted();
    TableSize.Sample sample = subject.size(box.shard(), id).sample(rows);
    RowBuckets buckets = new RowBuckets(subject.keyspace().partitioning());
    return box.query(
            "SELECT %s::text, %s FROM %s%s WHERE %s IS NOT NULL AND %s LIMIT %d"
                .formatted(
                    key,
                    buckets.column(key),
                    id.quoted(),
                    sample.clause(),
                    key,
                    sample.condition(),
                    sample.limit()),
            row -> new Row(row.getString(1), buckets.read(row, 2, row.getString(1))))
        .map(read -> new KeySample(read, sample.isAll(read.size())));
  }
}
