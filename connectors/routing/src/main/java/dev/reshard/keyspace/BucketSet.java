package dev.reshard.keyspace;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/** A set of bucket numbers. Immutable. */
public final class BucketSet {
  private static final BucketSet EMPTY = new BucketSet(new BitSet());

  private final BitSet bits;

  private BucketSet(BitSet bits) {
    this.bits = bits;
  }

  public static BucketSet empty() {
    return EMPTY;
  }

  public static BucketSet of(int... buckets) {
    return of(IntStream.of(buckets));
  }

  public static BucketSet of(IntStream buckets) {
    BitSet bits = new BitSet();
    buckets.forEach(bits::set);
    return new BucketSet(bits);
  }

  /** The buckets {@code from} to {@code to}, {@code to} exclusive. */
  public static BucketSet range(int from, int to) {
    return of(IntStream.range(from, to));
  }

  /** Reads what {@link #toHex} wrote. */
  public static BucketSet fromHex(String hex) {
    return new BucketSet(BitSet.valueOf(HexFormat.of().parseHex(hex)));
  }

  public boolean contains(int bucket) {
    return bucket >= 0 && bits.get(bucket);
  }

  public int size() {
    return bits.cardinality();
  }

  public boolean isEmpty() {
    return bits.isEmpty();
  }

  public IntStream stream() {
    return bits.stream();
  }

  public BucketSet plus(BucketSet other) {
    BitSet result = (BitSet) bits.clone();
    result.or(other.bits);
    return new BucketSet(result);
  }

  public BucketSet minus(BucketSet other) {
    BitSet result = (BitSet) bits.clone();
    result.andNot(other.bits);
    return new BucketSet(result);
  }

  public boolean intersects(BucketSet other) {
    return bits.intersects(other.bits);
  }

  /** All buckets below {@code count} that are not in this set. */
  public BucketSet complement(int count) {
    BitSet result = (BitSet) bits.clone();
    result.flip(0, count);
    return new BucketSet(result);
  }

  /**
   * The set as hex digits of a bitmap of {@code count} bits, bit 0 in the lowest bit of the first
   * byte: the order that PostgreSQL's {@code get_bit(bytea, n)} reads (manual, "Binary String
   * Functions").
   *
   * @throws IllegalArgumentException if a bucket is not below {@code count}
   */
  public String toHex(int count) {
    if (bits.length() > count) {
      throw new IllegalArgumentException("%s does not fit into %d buckets".formatted(this, count));
    }
    byte[] bytes = new byte[(count + 7) / 8];
    byte[] set = bits.toByteArray();
    System.arraycopy(set, 0, bytes, 0, set.length);
    return HexFormat.of().formatHex(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BucketSet that && bits.equals(that.bits);
  }

  @Override
  public int hashCode() {
    return bits.hashCode();
  }

  /** Ranges with both ends, as an operator writes them: {@code [0-255, 300]}. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    for (int from = bits.nextSetBit(0); from >= 0; ) {
      int to = bits.nextClearBit(from);
      parts.add(to - from == 1 ? "" + from : from + "-" + (to - 1));
      from = bits.nextSetBit(to);
    }
    return parts.toString();
  }
}
