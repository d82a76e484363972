package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.HashBuckets.Function;
import org.junit.jupiter.api.Test;

/** That the SQL says the same is proved on a server, by {@code PartitioningSqlIT}. */
class HashBucketsTest {
  private static final HashBuckets MODULO = new HashBuckets(Function.MODULO, 8);
  private static final HashBuckets MD5 = new HashBuckets(Function.MD5, 1024);

  @Test
  void moduloIsNeverNegative() {
    assertEquals(7, MODULO.bucketOf("-1"));
    assertEquals(0, MODULO.bucketOf("-8"));
    assertEquals(0, MODULO.bucketOf(Long.MIN_VALUE));
    assertEquals(7, MODULO.bucketOf(Long.MAX_VALUE));
  }

  @Test
  void aKeyAsNumberAndAsTextLiesInTheSameBucket() {
    for (long key : new long[] {0, 1, -1, 42, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertEquals(MODULO.bucketOf(key), MODULO.bucketOf(Long.toString(key)));
      assertEquals(MD5.bucketOf(key), MD5.bucketOf(Long.toString(key)));
    }
  }

  @Test
  void md5TakesTheFirst32BitsOfTheDigest() {
    assertEquals((int) (0xd41d8cd9L % 1024), MD5.bucketOf(""));
    assertEquals((int) (0x90015098L % 1000), new HashBuckets(Function.MD5, 1000).bucketOf("abc"));
  }

  @Test
  void whatModuloCannotPlaceIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> MODULO.bucketOf("x"));
    assertThrows(IllegalArgumentException.class, () -> MODULO.bucketOf("9223372036854775808"));
  }

  @Test
  void theNumberOfBucketsIsBounded() {
    assertThrows(IllegalArgumentException.class, () -> new HashBuckets(Function.MD5, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HashBuckets(Function.MD5, HashBuckets.MAX_COUNT + 1));
  }
}
