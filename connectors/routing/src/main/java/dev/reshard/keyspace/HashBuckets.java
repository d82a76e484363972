package dev.reshard.keyspace;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * A fixed number of buckets by a function of the key's number or text. Immutable.
 *
 * <p>A bucket is a hash mod {@code count}. An application that took the same hash mod {@code n}
 * finds its rows in the buckets {@code r mod n}, if {@code n} divides {@code count}. Hashes are
 * unsigned: one that takes a signed hash, as Java's {@code int}, and its {@code abs}, has placed
 * about half of its rows elsewhere.
 */
public record HashBuckets(Function function, int count) implements Partitioning {

  /** Where a key lies. There is no default: the rows already lie where their owner put them. */
  public enum Function {
    /**
     * {@code key mod count} for integer keys, never negative: -1 lies in the last bucket, as {@code
     * Math.floorMod} and Python's {@code %} have it. SQL's, Java's and C's {@code %} give -1 there:
     * an application that made a shard of that by {@code abs} put its negative keys elsewhere, and
     * the copy shows them as strays.
     */
    MODULO,
    /** The first 32 bits of {@code md5(key::text)}, unsigned, mod count. */
    MD5,
    /** CRC-32 of the key's text in UTF-8, unsigned, as zlib and {@link CRC32} compute it. */
    CRC32,
    /** MurmurHash3 (x86, 32 bit, seed 0) of the key's text in UTF-8, taken as unsigned. */
    MURMUR3;

    /** The name in migration.yaml. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The most buckets: a trigger's bitmap stays below 8 KiB. */
  public static final int MAX_COUNT = 65_536;

  private static final Pattern INTEGER = Pattern.compile("smallint|integer|bigint");

  /** Types whose text is the same in every session, and the same for equal values. */
  private static final Pattern ONE_TEXT =
      Pattern.compile(INTEGER + "|numeric\\(\\d+,0\\)|text|character varying(\\(\\d+\\))?|uuid");

  public HashBuckets {
    checkCount(count);
  }

  static void checkCount(int count) {
    if (count < 1 || count > MAX_COUNT) {
      throw new IllegalArgumentException(
          "the number of buckets must be 1 to %d, got %d".formatted(MAX_COUNT, count));
    }
  }

  @Override
  public int bucketOf(String keyText) {
    return switch (function) {
      case MODULO -> Math.floorMod(Long.parseLong(keyText), count);
      case MD5 -> Math.floorMod(firstWord(md5(utf8(keyText))), count);
      case CRC32 -> Math.floorMod(crc32(utf8(keyText)), count);
      case MURMUR3 -> Integer.remainderUnsigned(Murmur3.hash(utf8(keyText)), count);
    };
  }

  /** The bucket of an integer key, without a detour through text where the function allows it. */
  public int bucketOf(long key) {
    return function == Function.MODULO ? Math.floorMod(key, count) : bucketOf(Long.toString(key));
  }

  /**
   * Native for modulo and md5. PostgreSQL has no CRC-32 before 18 and no MurmurHash at all, so
   * these two call a PL/pgSQL function. A guard pays for one call for each inserted or deleted row
   * of its table and up to two for an updated one, on top of the trigger itself. Measured, CPU time
   * of one call without the scan, for a bigint of ten digits and for a uuid:
   *
   * <pre>
   *            bigint    uuid
   * modulo     0.02 us   -         PostgreSQL 17.11
   * md5        0.8 us    0.8 us
   * crc32      2.5 us    6.3 us    (PostgreSQL 18.1, which has the checksum: 0.7 us and 0.8 us)
   * murmur3    2.8 us    5.4 us
   * </pre>
   */
  @Override
  public String sql(String expression) {
    return switch (function) {
      case MODULO ->
          ("((((%s)::pg_catalog.int8 OPERATOR(pg_catalog.%%) %2$d) OPERATOR(pg_catalog.+) %2$d)"
                  + " OPERATOR(pg_catalog.%%) %2$d)::pg_catalog.int4")
              .formatted(expression, count);
      case MD5 ->
          ("(('x' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.md5((%s)::pg_catalog.text), 8))"
                  + "::pg_catalog.bit(32)::pg_catalog.int8 OPERATOR(pg_catalog.%%) %d)"
                  + "::pg_catalog.int4")
              .formatted(expression, count);
      case CRC32, MURMUR3 ->
          "reshard.bucket_%s((%s)::pg_catalog.text, %d)"
              .formatted(function.word(), expression, count);
    };
  }

  @Override
  public Optional<String> sqlSetup() {
    return switch (function) {
      case MODULO, MD5 -> Optional.empty();
      case CRC32, MURMUR3 -> Optional.of(resource(function.word() + ".sql"));
    };
  }

  @Override
  public Optional<String> objectionTo(String type) {
    return switch (function) {
      case MODULO ->
          INTEGER.matcher(type).matches()
              ? Optional.empty()
              : Optional.of("but modulo needs an integer; name the function that placed your rows");
      case MD5, CRC32, MURMUR3 ->
          hasOneText(type)
              ? Optional.empty()
              : Optional.of(
                  ("whose text is not the same in every session, or not for all equal values, so %s"
                          + " of it has no one bucket; it places keys of type smallint, integer,"
                          + " bigint, numeric(n,0), text, varchar and uuid")
                      .formatted(function.word()));
    };
  }

  @Override
  public String describe() {
    return function.word() + " into " + count;
  }

  /** Whether equal values of a type have one text, in every session. */
  static boolean hasOneText(String type) {
    return ONE_TEXT.matcher(type).matches();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] md5(byte[] bytes) {
    try {
      return MessageDigest.getInstance("MD5").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has MD5", e);
    }
  }

  private static long firstWord(byte[] digest) {
    long word = 0;
    for (int i = 0; i < 4; i++) {
      word = word << 8 | (digest[i] & 0xff);
    }
    return word;
  }

  private static long crc32(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return crc.getValue();
  }

  private static String resource(String file) {
    try (InputStream in = HashBuckets.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }
}
