package dev.reshard.spec;

import dev.reshard.keyspace.BucketSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** The two ways to write buckets: {@code 1 mod 4}, or {@code 0-255} and {@code 300}. Stateless. */
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
    if (divisor < 1 || remainder >= divisor || count % divisor != 0) {
      throw new IllegalArgumentException(
          "'%s': needs r < n, and %d buckets must be a multiple of n".formatted(text, count));
    }
    return BucketSet.of(IntStream.range(0, count).filter(b -> b % divisor == remainder));
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
