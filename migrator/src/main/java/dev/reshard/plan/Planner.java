package dev.reshard.plan;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.spec.Spec.Target;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PrimitiveIterator;
import java.util.TreeMap;

/**
 * Finds the target map. Stateless.
 *
 * <p>To balance, each shard gets {@code count / shards} buckets, and the remainder goes, one each,
 * to those that own the most already: every bucket that a shard owns within its share stays, so no
 * other map with these shares moves fewer.
 */
public final class Planner {
  private Planner() {}

  /**
   * The plan from {@code current} to the target of a spec.
   *
   * @throws IllegalArgumentException if the target leaves a bucket without an owner or gives it two
   */
  public static Plan plan(ShardMap current, Target target) {
    ShardMap wanted;
    if (target instanceof Target.Owners owners) {
      wanted = ShardMap.of(current.epoch(), current.count(), owners.buckets());
    } else if (target instanceof Target.Balance balance) {
      wanted = balance(current, balance.shards());
    } else {
      throw new IllegalArgumentException("keys are turned into buckets before they are planned");
    }
    return new Plan(current, wanted);
  }

  private static ShardMap balance(ShardMap current, List<ShardId> shards) {
    List<ShardId> byOwned =
        shards.stream()
            .distinct()
            .sorted(
                Comparator.comparing((ShardId s) -> -current.bucketsOf(s).size())
                    .thenComparing(Comparator.naturalOrder()))
            .toList();
    Map<ShardId, Integer> share = new HashMap<>();
    for (int i = 0; i < byOwned.size(); i++) {
      int rest = i < current.count() % byOwned.size() ? 1 : 0;
      share.put(byOwned.get(i), current.count() / byOwned.size() + rest);
    }
    Map<ShardId, BucketSet> target = new TreeMap<>();
    List<Integer> homeless = new ArrayList<>();
    current
        .byShard()
        .forEach(
            (shard, owned) -> {
              int keep = Math.min(share.getOrDefault(shard, 0), owned.size());
              target.put(shard, BucketSet.of(owned.stream().limit(keep)));
              owned.stream().skip(keep).forEach(homeless::add);
            });
    PrimitiveIterator.OfInt next = homeless.stream().mapToInt(Integer::intValue).iterator();
    for (ShardId shard : shards.stream().sorted().toList()) {
      BucketSet kept = target.getOrDefault(shard, BucketSet.empty());
      List<Integer> taken = new ArrayList<>();
      while (kept.size() + taken.size() < share.get(shard)) {
        taken.add(next.nextInt());
      }
      target.put(shard, kept.plus(BucketSet.of(taken.stream().mapToInt(Integer::intValue))));
    }
    return ShardMap.of(current.epoch(), current.count(), target);
  }
}
