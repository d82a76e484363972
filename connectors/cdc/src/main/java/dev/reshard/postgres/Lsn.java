package dev.reshard.postgres;

import java.util.Locale;

/**
 * A position in one cluster's WAL, in bytes. Immutable.
 *
 * <p>Where a transaction's place is meant, it is always the <em>end</em> of its commit record
 * (HAZARDS F19): in a snapshot made at {@code p} is exactly what ends at or before {@code p}.
 */
public record Lsn(long value) implements Comparable<Lsn> {
  /** Before everything. */
  public static final Lsn ZERO = new Lsn(0);

  /**
   * Reads PostgreSQL's form, {@code 16/B374D848}.
   *
   * @throws IllegalArgumentException if it is not of that form
   */
  public static Lsn parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 1) {
      throw new IllegalArgumentException("no LSN: '" + text + "'");
    }
    return new Lsn(
        Long.parseLong(text.substring(0, slash), 16) << 32
            | Long.parseLong(text.substring(slash + 1), 16));
  }

  /** Bytes from {@code earlier} to here; negative if it is later. */
  public long bytesSince(Lsn earlier) {
    return value - earlier.value;
  }

  public boolean isAfter(Lsn other) {
    return compareTo(other) > 0;
  }

  @Override
  public int compareTo(Lsn other) {
    return Long.compareUnsigned(value, other.value);
  }

  /** PostgreSQL's form. */
  @Override
  public String toString() {
    return "%X/%X".formatted(value >>> 32, value & 0xffff_ffffL).toUpperCase(Locale.ROOT);
  }
}
