package dev.reshard.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Numbers and times as people read them. Stateless. */
final class Quantity {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");
  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");
  private static final String[] SIZES = {"kB", "MB", "GB", "TB"};

  private Quantity() {}

  /** {@code 96 970}. */
  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number).replace(',', ' ');
  }

  /** {@code 812 B}, {@code 1.2 MB}, {@code 53 GB}; in powers of 1024, as PostgreSQL's. */
  static String bytes(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    double size = bytes;
    int unit = -1;
    while (size >= 1024 && unit < SIZES.length - 1) {
      size /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, size < 10 ? "%.1f %s" : "%.0f %s", size, SIZES[unit]);
  }

  /** {@code 120 ms}, {@code 4.6 s}, or as {@link #span}. */
  static String millis(long millis) {
    if (millis < 1_000) {
      return millis + " ms";
    }
    return millis < 60_000
        ? String.format(Locale.ROOT, "%.1f s", millis / 1e3)
        : span(millis / 1_000);
  }

  /** {@code 12 s}, {@code 4 min}, {@code 1 h 5 min}, {@code 2 d 3 h}. */
  static String span(long seconds) {
    if (seconds < 60) {
      return Math.max(0, seconds) + " s";
    }
    long minutes = seconds / 60;
    if (minutes < 60) {
      return minutes + " min";
    }
    return minutes < 24 * 60
        ? two(minutes / 60, "h", minutes % 60, "min")
        : two(minutes / 60 / 24, "d", minutes / 60 % 24, "h");
  }

  /** {@code 07:54:02}, with the date if it is not today's. */
  static String time(Instant at, Instant now, ZoneId zone) {
    ZonedDateTime local = at.atZone(zone);
    boolean today = local.toLocalDate().equals(now.atZone(zone).toLocalDate());
    return local.format(today ? TIME : DATE);
  }

  private static String two(long large, String unit, long small, String smallUnit) {
    return large + " " + unit + (small == 0 ? "" : " " + small + " " + smallUnit);
  }
}
