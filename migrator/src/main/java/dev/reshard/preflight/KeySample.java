package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * The shard keys of some rows, whose buckets are found here: a check makes none of the functions
 * that a server may need for it. Immutable.
 *
 * @param keys as PostgreSQL writes them as text
 * @param all whether the table has no others
 */
record KeySample(List<String> keys, boolean all) {

  KeySample {
    keys = List.copyOf(keys);
  }

  /** About so many keys from all over the table; empty if they could not be read in time. */
  static Optional<KeySample> read(Subject subject, TimeBox box, ShardedTable sharded, int rows)
      throws SQLException {
    TableId id = sharded.id();
    Table table = subject.table(box.shard(), id).orElseThrow();
    String key = table.column(sharded.key()).quoted();
    TableSize.Sample sample = subject.size(box.shard(), id).sample(rows);
    return box.query(
            "SELECT %s::text FROM %s%s WHERE %s IS NOT NULL AND %s LIMIT %d"
                .formatted(
                    key, id.quoted(), sample.clause(), key, sample.condition(), sample.limit()),
            row -> row.getString(1))
        .map(keys -> new KeySample(keys, sample.isAll(keys.size())));
  }
}
