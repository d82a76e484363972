package dev.reshard.preflight;

import dev.reshard.keyspace.Partitioning;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * How a check learns the buckets of rows that it reads: from Java, for it makes none of the
 * functions that a server may need for it; or, of the user's own function, from the server that has
 * the rows. Immutable.
 */
record RowBuckets(Partitioning partitioning) {
  /** Of a key that the user's function places nowhere, or that is not in his directory. */
  static final int NONE = Partitioning.NO_BUCKET;

  /** A column that goes into the SELECT. */
  String column(String key) {
    return partitioning.isComputed() ? "NULL" : partitioning.sql(key);
  }

  /**
   * What came of it.
   *
   * @param key the row's key as text; null has no bucket
   */
  int read(ResultSet row, int column, String key) throws SQLException {
    if (key == null) {
      return NONE;
    }
    if (partitioning.isComputed()) {
      return partitioning.bucketOf(key);
    }
    int bucket = row.getInt(column);
    return row.wasNull() ? NONE : bucket;
  }
}
