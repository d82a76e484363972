package dev.reshard.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.spec.Spec.Target;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlannerTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardId C = new ShardId("c");
  private static final List<ShardId> NAMES =
      "abcdefgh".chars().mapToObj(c -> new ShardId(Character.toString(c))).toList();

  @Test
  void balancingMovesTheFewestBucketsOfAnyEvenMap() {
    for (long seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      int count = 1 + random.nextInt(200);
      int before = 1 + random.nextInt(NAMES.size());
      ShardMap current =
          new ShardMap(
              1,
              IntStream.range(0, count).mapToObj(b -> NAMES.get(random.nextInt(before))).toList());
      int first = random.nextInt(NAMES.size());
      List<ShardId> over = NAMES.subList(first, first + 1 + random.nextInt(NAMES.size() - first));
      Plan plan = Planner.plan(current, new Target.Balance(over));
      String which = "seed " + seed + ": " + plan.summary();
      for (ShardId shard : NAMES) {
        int size = plan.target().bucketsOf(shard).size();
        assertTrue(
            over.contains(shard)
                ? size == count / over.size() || size == -Math.floorDiv(-count, over.size())
                : size == 0,
            which);
      }
      assertEquals(fewest(current, over), plan.moves().buckets().size(), which);
      assertEquals(plan.target().owners(), current.with(plan.moves().all(), 2).owners(), which);
    }
  }

  /**
   * Every bucket that a shard owns beyond its share must leave. The shares are fixed but for who
   * gets one bucket of the remainder: it saves a move with each shard that owns more than the rest.
   */
  private static int fewest(ShardMap current, List<ShardId> over) {
    int share = current.count() / over.size();
    int remainder = current.count() % over.size();
    List<Integer> owned =
        over.stream()
            .map(shard -> current.bucketsOf(shard).size())
            .sorted(Comparator.reverseOrder())
            .toList();
    int kept = owned.stream().mapToInt(size -> Math.min(size, share)).sum();
    int oneMore = (int) owned.stream().limit(remainder).filter(size -> size > share).count();
    return current.count() - kept - oneMore;
  }

  @Test
  void aBalancedMapToItselfMovesNothing() {
    ShardMap map =
        map(
            9,
            Map.of(A, BucketSet.of(0, 3, 8), B, BucketSet.of(1, 2, 4, 5), C, BucketSet.of(6, 7)));
    ShardMap even =
        map(7, Map.of(A, BucketSet.of(0, 3), B, BucketSet.of(1, 4, 6), C, BucketSet.of(2, 5)));
    Plan plan = Planner.plan(even, new Target.Balance(List.of(C, B, A)));
    assertTrue(plan.isEmpty());
    assertEquals("7 buckets, already as wanted: nothing to move", plan.summary());
    assertTrue(Planner.plan(map, new Target.Owners(map.byShard())).isEmpty());
  }

  @Test
  void balancingDoesNotDependOnTheOrderOfTheShardsOrNamesThatStandTwice() {
    ShardMap map = map(8, Map.of(A, BucketSet.range(0, 8)));
    Plan plan = Planner.plan(map, new Target.Balance(List.of(A, B, C)));
    assertEquals(plan, Planner.plan(map, new Target.Balance(List.of(C, B, A, B))));
    assertEquals(
        "8 buckets: a 8 > 3, b 0 > 3, c 0 > 2. Moves 63 %, the fewest (hash mod N: 63 %)",
        plan.summary());
  }

  @Test
  void writtenOutOwnersAreTakenAsTheyStand() {
    ShardMap map = map(4, Map.of(A, BucketSet.range(0, 4)));
    Plan plan =
        Planner.plan(map, new Target.Owners(Map.of(B, BucketSet.of(1, 3), A, BucketSet.of(0, 2))));
    assertEquals(List.of(new Move(A, B, BucketSet.of(1, 3))), plan.moves().all());
    assertEquals(0.5, plan.moved());
    assertEquals(0.5, plan.movedByModulo());
  }

  @Test
  void aBucketWithoutAnOwnerOrWithTwoIsRefusedByNumber() {
    ShardMap map = map(4, Map.of(A, BucketSet.range(0, 4)));
    assertRefused("no shard owns the buckets [2]", map, Map.of(A, BucketSet.of(0, 1, 3)));
    assertRefused(
        "bucket 3 belongs to both", map, Map.of(A, BucketSet.range(0, 4), B, BucketSet.of(3)));
    assertRefused("there are only 4 (0-3)", map, Map.of(A, BucketSet.range(0, 5)));
  }

  private static void assertRefused(String why, ShardMap current, Map<ShardId, BucketSet> owners) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Planner.plan(current, new Target.Owners(owners)))
            .getMessage();
    assertTrue(message.contains(why), message);
  }

  private static ShardMap map(int count, Map<ShardId, BucketSet> owners) {
    return ShardMap.of(1, count, owners);
  }
}
