package dev.reshard.keyspace;

/**
 * How a shard key's value finds its bucket, in Java and as SQL: both give the same answer for every
 * value. Immutable.
 */
public sealed interface Partitioning permits HashBuckets {

  /** How many buckets there are; a bucket is {@code 0 <= bucket < count}. */
  int count();

  /**
   * The bucket of one key.
   *
   * @param keyText the key as PostgreSQL writes it as text; never null
   * @throws IllegalArgumentException if the text is no value that this partitioning can place
   */
  int bucketOf(String keyText);

  /**
   * A native, immutable SQL expression of type {@code int} with the bucket of {@code expression};
   * uses {@code pg_catalog} only, so that it may stand in a trigger's WHEN (HAZARDS F27).
   */
  String sql(String expression);

  /** A boolean SQL expression: whether the bucket of {@code expression} is in {@code buckets}. */
  default String sqlIn(String expression, BucketSet buckets) {
    return "(pg_catalog.get_bit('\\x%s'::pg_catalog.bytea, %s) = 1)"
        .formatted(buckets.toHex(count()), sql(expression));
  }

  /** One line that is stored with the map; a map is refused under another one. */
  String describe();
}
