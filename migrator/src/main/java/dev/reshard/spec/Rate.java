package dev.reshard.spec;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How fast one shard may be copied, compared or purged, at most. Immutable.
 *
 * @param amount of the unit each second; of chunks how many at a time; of a share 0 to 1. 0 is a
 *     pause
 */
public record Rate(Unit unit, double amount) {

  /** What is counted. */
  public enum Unit {
    /**
     * Of rows that move, as the source sends them; of pages, where they are only read or deleted.
     */
    BYTES,
    /** A part of the time: what is copied takes as long as it does, then the copy rests. */
    SHARE,
    /** Pages of 8 KiB that the shard reads, whether their rows move or not. */
    BLOCKS,
    /** Rows that move, or are compared or deleted. */
    ROWS,
    /** Chunks at a time. */
    CHUNKS
  }

  private static final Pattern TEXT =
      Pattern.compile(
          "(\\d{1,9}(?:\\.\\d{1,3})?) ?(kB/s|KB/s|MB/s|GB/s|rows/s|blocks/s|chunks?|%)");

  private static final String[] SIZES = {"kB", "MB", "GB"};

  public Rate {
    if (!(amount >= 0)) {
      throw new IllegalArgumentException("a rate must be 0 or more, got " + amount);
    }
  }

  /** A part of the rate that the copy would have if nobody held it back. */
  public static Rate share(double part) {
    return new Rate(Unit.SHARE, part);
  }

  /**
   * Reads one as people write it: {@code 50MB/s}, {@code 20000 rows/s}, {@code 2000 blocks/s},
   * {@code 2 chunks}, {@code 10%}. Sizes are powers of 1024, as PostgreSQL's.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Rate parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'%s' is no rate as 50MB/s, 20000 rows/s, 2000 blocks/s, 2 chunks, 10%%".formatted(text));
    }
    double amount = Double.parseDouble(matcher.group(1));
    Rate rate =
        switch (matcher.group(2)) {
          case "kB/s", "KB/s" -> new Rate(Unit.BYTES, amount * (1 << 10));
          case "MB/s" -> new Rate(Unit.BYTES, amount * (1 << 20));
          case "GB/s" -> new Rate(Unit.BYTES, amount * (1 << 30));
          case "rows/s" -> new Rate(Unit.ROWS, amount);
          case "blocks/s" -> new Rate(Unit.BLOCKS, amount);
          case "%" -> share(amount / 100);
          default -> new Rate(Unit.CHUNKS, amount);
        };
    if (rate.unit == Unit.SHARE && rate.amount > 1) {
      throw new IllegalArgumentException("'%s' is more than all of it".formatted(text));
    }
    if (rate.unit == Unit.CHUNKS && rate.amount != Math.rint(rate.amount)) {
      throw new IllegalArgumentException("'%s': chunks are whole".formatted(text));
    }
    return rate;
  }

  public boolean isPause() {
    return amount == 0;
  }

  /** For people: {@code 20 MB/s}. */
  @Override
  public String toString() {
    if (isPause()) {
      return "nothing";
    }
    return switch (unit) {
      case BYTES -> bytes() + "/s";
      case SHARE -> number(amount * 100) + " % of its free rate";
      case BLOCKS -> number(amount) + " blocks/s";
      case ROWS -> number(amount) + " rows/s";
      case CHUNKS -> amount == 1 ? "1 chunk at a time" : number(amount) + " chunks at a time";
    };
  }

  private String bytes() {
    double size = amount / 1024;
    int i = 0;
    for (; size >= 1024 && i < SIZES.length - 1; i++) {
      size /= 1024;
    }
    return number(size) + " " + SIZES[i];
  }

  /** Small numbers with one digit behind the point, where it is not 0. */
  private static String number(double number) {
    String text = String.format(Locale.ROOT, number < 10 ? "%.1f" : "%.0f", number);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }
}
