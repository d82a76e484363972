package dev.reshard.keyspace;

import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Buckets by the user's own IMMUTABLE SQL function, the same on every shard. Servers call it where
 * the rows are: the copy, guards, comparisons. Java cannot compute it, so it asks a server for each
 * key that it has not met lately ({@link KeyLookup}). Immutable, save what it remembers;
 * thread-safe.
 *
 * <p>A key for which the function gives NULL or a number that is no bucket lies in no bucket: no
 * guard stops its rows, the copy counts them as strays, and Java refuses it.
 */
public final class SqlBuckets implements Partitioning {
  /** Keys whose buckets are remembered: some 10 MB. A miss costs a round trip. */
  private static final int REMEMBERED = 100_000;

  /** The argument of the function, where the migration file writes it. */
  private static final String KEY = "{key}";

  private static final Pattern CALL =
      Pattern.compile("([a-z_][a-z0-9_]{0,62})\\.([a-z_][a-z0-9_]{0,62})\\(\\{key}\\)");

  private final String schema;
  private final String function;
  private final int count;
  private final Optional<KeyLookup> lookup;

  private final Map<String, Integer> met =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
          return size() > REMEMBERED;
        }
      };

  private SqlBuckets(String schema, String function, int count, Optional<KeyLookup> lookup) {
    this.schema = schema;
    this.function = function;
    this.count = count;
    this.lookup = lookup;
  }

  /**
   * By a function as the migration file calls it.
   *
   * @param expression {@code schema.function({key})}: with its schema, since it also runs in
   *     triggers, under any search path (HAZARDS F27)
   * @throws IllegalArgumentException if it is anything else, or there cannot be so many buckets
   */
  public static SqlBuckets of(String expression, int count) {
    Matcher call = CALL.matcher(expression.strip());
    if (!call.matches()) {
      throw new IllegalArgumentException(
          "'%s' must be schema.function({key}), its names in lower case: a function of the key alone"
              .formatted(expression));
    }
    HashBuckets.checkCount(count);
    return new SqlBuckets(call.group(1), call.group(2), count, Optional.empty());
  }

  @Override
  public Partitioning askingBy(KeyLookup other) {
    return lookup.isPresent() ? this : new SqlBuckets(schema, function, count, Optional.of(other));
  }

  public String schema() {
    return schema;
  }

  public String function() {
    return function;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public boolean isComputed() {
    return false;
  }

  /**
   * @throws IllegalStateException if nobody has said whom to ask ({@link #askingBy})
   * @throws BucketUnknownException if no server could be asked
   */
  @Override
  public int bucketOf(String keyText) {
    synchronized (met) {
      Integer bucket = met.get(keyText);
      if (bucket != null) {
        return bucket;
      }
    }
    int bucket = asked(keyText);
    synchronized (met) {
      met.put(keyText, bucket);
    }
    return bucket;
  }

  private int asked(String keyText) {
    KeyLookup asked =
        lookup.orElseThrow(
            () ->
                new IllegalStateException(
                    "only a server can tell a bucket by '%s', and nobody has said which one to ask"
                        .formatted(describe())));
    try {
      Integer bucket = asked.ask("SELECT " + call("?"), keyText);
      if (bucket == null || bucket < 0 || bucket >= count) {
        throw new IllegalArgumentException(
            "the function gives it %s, which is no bucket of 0-%d"
                .formatted(bucket == null ? "NULL" : bucket, count - 1));
      }
      return bucket;
    } catch (SQLException e) {
      if (ServerLookup.isAboutTheKey(e)) {
        throw new IllegalArgumentException(
            "the function refuses it with SQLSTATE " + e.getSQLState(), e);
      }
      throw new BucketUnknownException(describe(), e);
    }
  }

  /** The bare function, without a look at what it gives. */
  public String call(String expression) {
    return "%s.%s(%s)".formatted(TableId.quote(schema), TableId.quote(function), expression);
  }

  /** Calls the function twice, to have NULL for what is no bucket. */
  @Override
  public String sql(String expression) {
    return "CASE WHEN '[0,%1$d)'::pg_catalog.int4range OPERATOR(pg_catalog.@>) (%2$s)::pg_catalog.int4 THEN (%2$s)::pg_catalog.int4 END"
        .formatted(count, call(expression));
  }

  /**
   * Calls the function once, for a guard pays it with every row; false, and no error, for what is
   * no bucket. A negative number becomes a large one, a large one and NULL the bit after the last
   * bucket's, which is never set.
   */
  @Override
  public String sqlIn(String expression, BucketSet buckets) {
    return ("(pg_catalog.get_bit('\\x%s'::pg_catalog.bytea, LEAST((%s)::pg_catalog.int4::pg_catalog.int8"
            + " OPERATOR(pg_catalog.&) 4294967295, %d)) OPERATOR(pg_catalog.=) 1)")
        .formatted(buckets.toHex(count + 1), call(expression), count);
  }

  /** That the function takes the type is for the server to say. */
  @Override
  public Optional<String> objectionTo(String type) {
    return HashBuckets.hasOneText(type)
        ? Optional.empty()
        : Optional.of(
            "whose text is not the same in every session, or not for all equal values, so that a"
                + " router cannot ask for its bucket; a function places keys of type smallint,"
                + " integer, bigint, numeric(n,0), text, varchar and uuid");
  }

  @Override
  public String describe() {
    return "%s.%s(%s) into %d".formatted(schema, function, KEY, count);
  }
}
