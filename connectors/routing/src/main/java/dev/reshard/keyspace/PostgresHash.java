package dev.reshard.keyspace;

/**
 * The hashes by which PostgreSQL's {@code PARTITION BY HASH} places rows: Bob Jenkins' lookup3 of
 * 64 bits ({@code src/common/hashfn.c}), seeded with {@code HASH_PARTITION_SEED}. The same on every
 * platform and since version 11: it could not change without moving rows. An instance is the
 * function's three words while it runs; confined to the call.
 */
final class PostgresHash {
  /** {@code HASH_PARTITION_SEED} (src/include/catalog/partition.h). */
  static final long SEED = 0x7A5B22367996DCFDL;

  /** What {@code hash_combine64(0, hash)} adds to a hash (src/include/common/hashfn.h). */
  static final long COMBINED = 0x49a0f4dd15e5a8e3L;

  private static final int INITIAL = 0x9e3779b9 + 3923095;

  private int a;
  private int b;
  private int c;

  private PostgresHash(int length) {
    a = INITIAL + length + (int) (SEED >>> 32);
    b = INITIAL + length + (int) SEED;
    c = INITIAL + length;
    mix();
  }

  /**
   * What is taken mod the number of partitions, as an unsigned number: the hash of a key that is
   * one column, as {@code compute_partition_hash_value} combines it.
   */
  static long combined(long hash) {
    return hash + COMBINED;
  }

  /** Of a smallint, integer or bigint: the same number has the same hash in each type. */
  static long ofInteger(long key) {
    int low = (int) key;
    int high = (int) (key >> 32);
    PostgresHash hash = new PostgresHash(Integer.BYTES);
    hash.a += low ^ (key >= 0 ? high : ~high);
    return hash.end();
  }

  /** Of the bytes of a text or uuid. */
  static long ofBytes(byte[] bytes) {
    PostgresHash hash = new PostgresHash(bytes.length);
    int at = 0;
    for (; bytes.length - at >= 12; at += 12) {
      hash.a += word(bytes, at, 4);
      hash.b += word(bytes, at + 4, 4);
      hash.c += word(bytes, at + 8, 4);
      hash.mix();
    }
    hash.a += word(bytes, at, 4);
    hash.b += word(bytes, at + 4, 4);
    hash.c += word(bytes, at + 8, 3) << 8; // the lowest byte is the length's
    return hash.end();
  }

  /** Up to {@code atMost} of the bytes that are left, the first one lowest. */
  private static int word(byte[] bytes, int from, int atMost) {
    int word = 0;
    for (int i = Math.min(from + atMost, bytes.length) - 1; i >= from; i--) {
      word = word << 8 | (bytes[i] & 0xff);
    }
    return word;
  }

  private void mix() {
    a = a - c ^ Integer.rotateLeft(c, 4);
    c += b;
    b = b - a ^ Integer.rotateLeft(a, 6);
    a += c;
    c = c - b ^ Integer.rotateLeft(b, 8);
    b += a;
    a = a - c ^ Integer.rotateLeft(c, 16);
    c += b;
    b = b - a ^ Integer.rotateLeft(a, 19);
    a += c;
    c = c - b ^ Integer.rotateLeft(b, 4);
    b += a;
  }

  private long end() {
    c = (c ^ b) - Integer.rotateLeft(b, 14);
    a = (a ^ c) - Integer.rotateLeft(c, 11);
    b = (b ^ a) - Integer.rotateLeft(a, 25);
    c = (c ^ b) - Integer.rotateLeft(b, 16);
    a = (a ^ c) - Integer.rotateLeft(c, 4);
    b = (b ^ a) - Integer.rotateLeft(a, 14);
    c = (c ^ b) - Integer.rotateLeft(b, 24);
    return (long) b << 32 | (c & 0xffffffffL);
  }
}
