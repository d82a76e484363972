package dev.reshard.draft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EvidenceTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final int COUNT = 1024;

  @Test
  void everyFunctionIsFoundWhateverTheOrderOfTheShards() {
    for (HashBuckets.Function function : HashBuckets.Function.values()) {
      Evidence evidence = Evidence.find(placed(function, 200), COUNT).orElseThrow();
      assertEquals(function, evidence.function());
      assertEquals(Map.of(A, 1, B, 0), evidence.remainders());
      assertEquals(200, evidence.keys());
    }
  }

  @Test
  void oneKeyThatDisagreesIsEnoughAgainstIt() {
    Map<ShardId, Set<String>> keys = placed(HashBuckets.Function.MODULO, 200);
    keys.get(A).add("2");
    assertEquals(Optional.empty(), Evidence.find(keys, COUNT));
  }

  @Test
  void fewKeysOrOneShardAreNoEvidence() {
    assertEquals(Optional.empty(), Evidence.find(placed(HashBuckets.Function.MODULO, 10), COUNT));
    assertEquals(
        Optional.empty(),
        Evidence.find(Map.of(A, placed(HashBuckets.Function.MODULO, 200).get(A)), COUNT));
  }

  /** Odd buckets on a, even ones on b. */
  private static Map<ShardId, Set<String>> placed(HashBuckets.Function function, int keys) {
    HashBuckets buckets = new HashBuckets(function, COUNT);
    Map<ShardId, Set<String>> placed = new TreeMap<>();
    placed.put(A, new HashSet<>());
    placed.put(B, new HashSet<>());
    IntStream.rangeClosed(1, keys)
        .mapToObj(Integer::toString)
        .collect(Collectors.toSet())
        .forEach(key -> placed.get(buckets.bucketOf(key) % 2 == 1 ? A : B).add(key));
    return placed;
  }
}
