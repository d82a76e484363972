package dev.reshard.keyspace;

import java.util.Optional;

/**
 * How a shard key's value finds its bucket, in Java and as SQL: both give the same answer for every
 * value. Immutable; thread-safe.
 */
public sealed interface Partitioning
    permits HashBuckets, PostgresBuckets, SqlBuckets, DirectoryBuckets {
  /** The bucket of a key that lies in none; only of one that {@link #isPartial}. */
  int NO_BUCKET = -1;

  /** How many buckets there are; a bucket is {@code 0 <= bucket < count}. */
  int count();

  /**
   * The bucket of one key; {@link #NO_BUCKET} if it lies in none.
   *
   * @param keyText the key as PostgreSQL writes it as text; never null
   * @throws IllegalArgumentException if the text is no value that this partitioning can place
   */
  int bucketOf(String keyText);

  /** Whether Java finds buckets by itself; if not, {@link #bucketOf} asks a server. */
  default boolean isComputed() {
    return true;
  }

  /**
   * Whether keys may lie in no bucket, and are right so: their rows stay where they are, and {@link
   * #sql} gives NULL.
   */
  default boolean isPartial() {
    return false;
  }

  /** The same, which asks by {@code lookup} where it has to ask and nobody else was named. */
  default Partitioning askingBy(KeyLookup lookup) {
    return this;
  }

  /**
   * An immutable SQL expression of type {@code int} with the bucket of {@code expression}, null of
   * null. It uses {@code pg_catalog} and what {@link #sqlSetup} makes, and names the schema of all
   * of it, so that it may stand in a trigger's WHEN and run as any role (HAZARDS F27).
   */
  String sql(String expression);

  /**
   * Statements that make the functions which {@link #sql} calls, in schema {@code reshard}, which
   * must be there; they can be run again and again. To be run on a shard before its first {@link
   * #sql}; empty if that needs {@code pg_catalog} only.
   */
  default Optional<String> sqlSetup() {
    return Optional.empty();
  }

  /** A boolean SQL expression: whether the bucket of {@code expression} is in {@code buckets}. */
  default String sqlIn(String expression, BucketSet buckets) {
    return "(pg_catalog.get_bit('\\x%s'::pg_catalog.bytea, %s) OPERATOR(pg_catalog.=) 1)"
        .formatted(buckets.toHex(count()), sql(expression));
  }

  /**
   * Why keys of a type cannot be placed, and what to do, as the end of a sentence about a column;
   * empty if they can.
   *
   * @param type as {@code format_type} writes it, with its modifier; of a domain the type below it
   */
  Optional<String> objectionTo(String type);

  /** One line that is stored with the map; a map is refused under another one. */
  String describe();
}
