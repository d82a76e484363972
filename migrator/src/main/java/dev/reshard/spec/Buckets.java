package dev.reshard.spec;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The two ways to write buckets: {@code 1 mod 4}, or {@code 0-255} and {@code 300}. Stateless.
 *
 * <p>{@code r mod n} is for rows that lie where {@code hash mod n} put them. A bucket is {@code
 * hash mod count}, and the hash of every function is unsigned (or the key itself, of {@code
 * modulo}), so if {@code n} divides {@code count}, the buckets with {@code bucket mod n = r} hold
 * exactly these rows: the same map, cut finer. If it does not, no set of buckets does.
 */
final class Buckets {
  private static final Pattern MODULO = Pattern.compile("(\\d{1,9}) mod (\\d{1,9})");
  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

  private Buckets() {}

  static BucketSet modulo(String text, int count) {
    Matcher matcher = MODULO.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'%s' is neither 'r mod n' nor a list as [0-255, 300]".formatted(text));
    }
    int remainder = Integer.parseInt(matcher.group(1));
    int divisor = Integer.parseInt(matcher.group(2));
    if (remainder >= divisor) {
      throw new IllegalArgumentException("'%s': r must be less than n".formatted(text));
    }
    if (count % divisor != 0) {
      throw new IllegalArgumentException(
          "'%s': rows of one remainder are no set of buckets, for %d buckets are no multiple of %d; %s"
              .formatted(text, count, divisor, multiple(divisor, count)));
    }
    return BucketSet.of(IntStream.range(0, count).filter(b -> b % divisor == remainder));
  }

  private static String multiple(int divisor, int count) {
    int next = (count / divisor + 1) * divisor;
    if (next > HashBuckets.MAX_COUNT) {
      next = HashBuckets.MAX_COUNT - HashBuckets.MAX_COUNT % divisor;
    }
    return next == 0
        ? "n can be %d at most".formatted(HashBuckets.MAX_COUNT)
        : "set keyspace.buckets.count to a multiple, as %d".formatted(next);
  }

  static BucketSet range(String text, int count) {
    Matcher matcher = RANGE.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException("'%s' is no bucket and no range".formatted(text));
    }
    int from = Integer.parseInt(matcher.group(1));
    int to = matcher.group(2) == null ? from : Integer.parseInt(matcher.group(2));
    if (from > to || to >= count) {
      throw new IllegalArgumentException(
          "'%s' is not within the buckets 0-%d".formatted(text, count - 1));
    }
    return BucketSet.range(from, to + 1);
  }
}
