package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UnitTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardId C = new ShardId("c");

  @Test
  void eachShardHasTheBucketsThatItGivesOrTakes() {
    Unit unit =
        new Unit(
            "shop",
            "canary/a",
            List.of(new Move(A, B, BucketSet.of(1)), new Move(A, C, BucketSet.of(2))));
    assertEquals(Set.of(A, B, C), unit.shards());
    assertEquals(BucketSet.of(1, 2), unit.at(A));
    assertEquals(BucketSet.of(1), unit.at(B));
    assertEquals(BucketSet.of(2), unit.at(C));
  }

  @Test
  void bucketsOfTwoSourcesAreNoUnit() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new Unit(
                "shop",
                "canary",
                List.of(new Move(A, C, BucketSet.of(1)), new Move(B, C, BucketSet.of(2)))));
  }
}
