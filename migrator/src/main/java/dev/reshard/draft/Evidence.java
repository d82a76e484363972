package dev.reshard.draft;

import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Whether keys lie where {@code bucket mod n} says, for n shards in any order. Immutable.
 *
 * @param function that agrees with every key
 * @param remainders of each shard
 * @param keys how many different ones were tried
 */
record Evidence(HashBuckets.Function function, Map<ShardId, Integer> remainders, int keys) {
  /** Fewer different keys than this on a shard could agree by chance. */
  private static final int ENOUGH = 10;

  /**
   * The first function that all keys agree with.
   *
   * @param keys some of each shard that has rows
   * @param count of buckets, a multiple of the number of shards
   */
  static Optional<Evidence> find(Map<ShardId, ? extends Set<String>> keys, int count) {
    int shards = keys.size();
    if (shards < 2 || keys.values().stream().anyMatch(set -> set.size() < ENOUGH)) {
      return Optional.empty();
    }
    int tried = keys.values().stream().mapToInt(Set::size).sum();
    for (HashBuckets.Function function : HashBuckets.Function.values()) {
      Partitioning partitioning = new HashBuckets(function, count);
      Map<ShardId, Integer> remainders = new TreeMap<>();
      keys.forEach(
          (shard, some) ->
              remainder(partitioning, some, shards).ifPresent(r -> remainders.put(shard, r)));
      if (remainders.size() == shards && new TreeSet<>(remainders.values()).size() == shards) {
        return Optional.of(new Evidence(function, remainders, tried));
      }
    }
    return Optional.empty();
  }

  /** The one that all keys share. */
  private static Optional<Integer> remainder(
      Partitioning partitioning, Set<String> keys, int divisor) {
    try {
      Set<Integer> found =
          keys.stream()
              .map(key -> partitioning.bucketOf(key) % divisor)
              .collect(Collectors.toSet());
      List<Integer> all = new ArrayList<>(found);
      return all.size() == 1 ? Optional.of(all.get(0)) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // a key of a type that the function does not take
    }
  }
}
