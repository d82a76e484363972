package dev.reshard.keyspace;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;

/** A fixed number of hash buckets. Immutable. */
public record HashBuckets(Function function, int count) implements Partitioning {

  /** Where a key lies. There is no default: the rows already lie where their owner put them. */
  public enum Function {
    /** {@code key mod count} for integer keys; never negative, unlike SQL's {@code %}. */
    MODULO,
    /** The first 32 bits of {@code md5(key::text)}, mod count; for a key of any type. */
    MD5;

    /** The name in migration.yaml. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The most buckets: a trigger's bitmap stays below 8 KiB. */
  public static final int MAX_COUNT = 65_536;

  public HashBuckets {
    if (count < 1 || count > MAX_COUNT) {
      throw new IllegalArgumentException(
          "the number of buckets must be 1 to %d, got %d".formatted(MAX_COUNT, count));
    }
  }

  @Override
  public int bucketOf(String keyText) {
    return switch (function) {
      case MODULO -> Math.floorMod(Long.parseLong(keyText), count);
      case MD5 -> Math.floorMod(firstWord(md5(keyText)), count);
    };
  }

  /** The bucket of an integer key, without a detour through text where the function allows it. */
  public int bucketOf(long key) {
    return function == Function.MODULO ? Math.floorMod(key, count) : bucketOf(Long.toString(key));
  }

  @Override
  public String sql(String expression) {
    return switch (function) {
      case MODULO ->
          "(((%s)::pg_catalog.int8 %% %d + %d) %% %d)::pg_catalog.int4"
              .formatted(expression, count, count, count);
      case MD5 ->
          ("(('x' || pg_catalog.left(pg_catalog.md5((%s)::pg_catalog.text), 8))"
                  + "::pg_catalog.bit(32)::pg_catalog.int8 %% %d)::pg_catalog.int4")
              .formatted(expression, count);
    };
  }

  @Override
  public String describe() {
    return function.word() + " into " + count;
  }

  private static byte[] md5(String text) {
    try {
      return MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
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
}
