package dev.reshard.change;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The values of one row as PostgreSQL's text, still in the UTF-8 bytes they arrived in: most are
 * only handed on. Immutable; its arrays are not copied, for there are many.
 */
public final class TextTuple {
  /** Length of SQL's NULL. */
  public static final int NULL = -1;

  /** Length of a value that the server did not send, as an UPDATE did not touch it. */
  public static final int UNCHANGED = -2;

  private final byte[] bytes;
  private final int[] offsets;
  private final int[] lengths;

  /**
   * @param offsets where each value begins in {@code bytes}
   * @param lengths in bytes, or {@link #NULL} or {@link #UNCHANGED}
   */
  public TextTuple(byte[] bytes, int[] offsets, int[] lengths) {
    this.bytes = bytes;
    this.offsets = offsets;
    this.lengths = lengths;
  }

  /** A tuple of strings; null is NULL, {@link RowChange#UNCHANGED} a value that was not sent. */
  public static TextTuple of(String... values) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int[] offsets = new int[values.length];
    int[] lengths = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      offsets[i] = bytes.size();
      if (values[i] == null) {
        lengths[i] = NULL;
      } else if (RowChange.isUnchanged(values[i])) {
        lengths[i] = UNCHANGED;
      } else {
        bytes.writeBytes(values[i].getBytes(StandardCharsets.UTF_8));
        lengths[i] = bytes.size() - offsets[i];
      }
    }
    return new TextTuple(bytes.toByteArray(), offsets, lengths);
  }

  public int size() {
    return lengths.length;
  }

  public boolean isNull(int column) {
    return lengths[column] == NULL;
  }

  public boolean isUnchanged(int column) {
    return lengths[column] == UNCHANGED;
  }

  /** Whether the server left out any value. */
  public boolean hasUnchanged() {
    for (int length : lengths) {
      if (length == UNCHANGED) {
        return true;
      }
    }
    return false;
  }

  /** The value; null is NULL, {@link RowChange#UNCHANGED} a value that was not sent. */
  public String text(int column) {
    return switch (lengths[column]) {
      case NULL -> null;
      case UNCHANGED -> RowChange.UNCHANGED;
      default -> new String(bytes, offsets[column], lengths[column], StandardCharsets.UTF_8);
    };
  }

  /** These columns of it, in this order. */
  public TextTuple pick(List<Integer> columns) {
    int[] pickedOffsets = new int[columns.size()];
    int[] pickedLengths = new int[columns.size()];
    for (int i = 0; i < pickedOffsets.length; i++) {
      pickedOffsets[i] = offsets[columns.get(i)];
      pickedLengths[i] = lengths[columns.get(i)];
    }
    return new TextTuple(bytes, pickedOffsets, pickedLengths);
  }

  /** This tuple with one value replaced. */
  public TextTuple with(int column, String value) {
    String[] values = new String[size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i == column ? value : text(i);
    }
    return of(values);
  }

  /** This tuple with one value of another, whose bytes are copied once. */
  public TextTuple with(int column, TextTuple other, int otherColumn) {
    int added = Math.max(other.lengths[otherColumn], 0);
    byte[] all = new byte[textBytes() + added];
    int[] allOffsets = new int[size()];
    int[] allLengths = new int[size()];
    int used = 0;
    for (int i = 0; i < size(); i++) {
      TextTuple from = i == column ? other : this;
      int place = i == column ? otherColumn : i;
      allLengths[i] = from.lengths[place];
      allOffsets[i] = used;
      int length = Math.max(allLengths[i], 0);
      System.arraycopy(from.bytes, from.offsets[place], all, used, length);
      used += length;
    }
    return new TextTuple(all, allOffsets, allLengths);
  }

  /** How many bytes the values take; NULL and unchanged ones take none. */
  public int textBytes() {
    int sum = 0;
    for (int length : lengths) {
      sum += Math.max(length, 0);
    }
    return sum;
  }

  byte[] bytes() {
    return bytes;
  }

  int offset(int column) {
    return offsets[column];
  }

  int length(int column) {
    return lengths[column];
  }
}
