package dev.reshard.spec;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 512KB}, {@code 500MB}, {@code 200GB}. Stateless. */
final class Sizes {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,6})\\s?(kB|KB|MB|GB|TB)");

  private Sizes() {}

  /**
   * Reads one, in powers of 1024, as PostgreSQL does.
   *
   * @throws IllegalArgumentException if it is none
   */
  static long parse(String text) {
    Matcher matcher = SIZE.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("'%s' is no size as 500MB, 200GB, 2TB".formatted(text));
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "kB", "KB" -> amount << 10;
      case "MB" -> amount << 20;
      case "GB" -> amount << 30;
      default -> amount << 40;
    };
  }
}
