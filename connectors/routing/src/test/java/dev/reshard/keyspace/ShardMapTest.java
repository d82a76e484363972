package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ShardMapTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardId C = new ShardId("c");

  @Test
  void everyBucketHasExactlyOneOwner() {
    ShardMap map = ShardMap.of(1, 3, Map.of(A, BucketSet.of(0, 2), B, BucketSet.of(1)));
    assertEquals(List.of(A, B, A), map.owners());
    assertEquals(Map.of(A, BucketSet.of(0, 2), B, BucketSet.of(1)), map.byShard());
    assertEquals(BucketSet.empty(), map.bucketsOf(C));
  }

  @Test
  void gapsDoublesAndBucketsThatDoNotExistAreRefusedByNumber() {
    assertRefused("no shard owns the buckets [1-2]", Map.of(A, BucketSet.of(0)));
    assertRefused("bucket 1 belongs to both", Map.of(A, BucketSet.range(0, 3), B, BucketSet.of(1)));
    assertRefused("there are only 3", Map.of(A, BucketSet.range(0, 4)));
  }

  private static void assertRefused(String why, Map<ShardId, BucketSet> owners) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ShardMap.of(1, 3, owners)).getMessage();
    assertTrue(message.contains(why), message);
  }

  @Test
  void movesLeadFromOneMapToTheOtherAndBack() {
    ShardMap before = ShardMap.of(1, 6, Map.of(A, BucketSet.range(0, 6)));
    ShardMap after =
        ShardMap.of(
            2, 6, Map.of(A, BucketSet.of(0), B, BucketSet.of(1, 4), C, BucketSet.of(2, 3, 5)));
    Moves moves = Moves.between(before, after);
    assertEquals(
        List.of(new Move(A, B, BucketSet.of(1, 4)), new Move(A, C, BucketSet.of(2, 3, 5))),
        moves.all());
    assertEquals(after, before.with(moves.all(), 2));
    assertEquals(
        before, after.with(moves.all().stream().map(Move::reversed).toList(), before.epoch()));
    assertEquals(List.of(), Moves.between(before, before).all());
  }

  @Test
  void movesSayWhoGivesAndWhoTakes() {
    Moves moves =
        new Moves(List.of(new Move(B, C, BucketSet.of(3)), new Move(A, B, BucketSet.of(1, 2))));
    assertEquals(A, moves.all().get(0).source(), "in order of source and destination");
    assertEquals(List.of(A, B), List.copyOf(moves.sources()));
    assertEquals(List.of(B, C), List.copyOf(moves.destinations()));
    assertEquals(List.of(A, B, C), List.copyOf(moves.shards()));
    assertEquals(BucketSet.of(1, 2, 3), moves.at(B));
    assertEquals(BucketSet.of(1, 2), moves.at(A));
    assertEquals(BucketSet.of(1, 2, 3), moves.buckets());
    assertEquals(B, moves.destinationOf(A, 2).orElseThrow());
    assertTrue(moves.destinationOf(B, 2).isEmpty());
    assertThrows(IllegalArgumentException.class, () -> new Move(A, A, BucketSet.of(1)));
    assertThrows(IllegalArgumentException.class, () -> new Move(A, B, BucketSet.empty()));
  }
}
