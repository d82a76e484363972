package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BucketSetTest {
  @Test
  void isWrittenAsAnOperatorWritesIt() {
    assertEquals("[0-2, 5, 7-8]", BucketSet.of(8, 0, 1, 2, 5, 7).toString());
    assertEquals("[]", BucketSet.empty().toString());
  }

  @Test
  void hexHasTheLowestBucketInTheLowestBitOfTheFirstByte() {
    assertEquals("0180", BucketSet.of(0, 15).toHex(16));
    assertEquals("000004", BucketSet.of(18).toHex(20));
    assertEquals("0000", BucketSet.empty().toHex(9));
  }

  @Test
  void hexGivesTheSameSetBack() {
    Random random = new Random(7);
    for (int i = 0; i < 200; i++) {
      int count = 1 + random.nextInt(HashBuckets.MAX_COUNT);
      BucketSet set = BucketSet.of(random.ints(random.nextInt(50), 0, count));
      assertEquals(set, BucketSet.fromHex(set.toHex(count)));
    }
  }

  @Test
  void hexRefusesASetThatDoesNotFit() {
    assertThrows(IllegalArgumentException.class, () -> BucketSet.of(16).toHex(16));
    assertThrows(IllegalArgumentException.class, () -> BucketSet.of(9).toHex(9));
  }

  @Test
  void setsAreValuesAndDoNotChange() {
    BucketSet low = BucketSet.range(0, 4);
    BucketSet even = BucketSet.of(0, 2, 4, 6);
    assertEquals(BucketSet.of(0, 1, 2, 3, 4, 6), low.plus(even));
    assertEquals(BucketSet.of(1, 3), low.minus(even));
    assertEquals(BucketSet.range(4, 8), low.complement(8));
    assertEquals(BucketSet.range(0, 4), low);
    assertTrue(low.intersects(even));
    assertFalse(low.intersects(BucketSet.of(4)));
    assertEquals(low.hashCode(), BucketSet.of(3, 2, 1, 0).hashCode());
    assertTrue(low.contains(3));
    assertFalse(low.contains(4));
    assertFalse(low.contains(-1));
  }
}
