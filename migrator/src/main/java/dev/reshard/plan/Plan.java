package dev.reshard.plan;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** From a map to a target map. Immutable. */
public record Plan(ShardMap current, ShardMap target, Moves moves) {

  public Plan(ShardMap current, ShardMap target) {
    this(current, target, Moves.between(current, target));
  }

  public boolean isEmpty() {
    return moves.all().isEmpty();
  }

  /** Share of the buckets that move, 0 to 1. */
  public double moved() {
    return moves.buckets().size() / (double) current.count();
  }

  /**
   * Share of the buckets that would move if every key went to {@code hash mod (number of shards)}
   * instead: the yardstick that a plan should beat.
   */
  public double movedByModulo() {
    int before = current.byShard().size();
    int after = target.byShard().size();
    return IntStream.range(0, current.count()).filter(b -> b % before != b % after).count()
        / (double) current.count();
  }

  /** One line: each shard's number of buckets before and after, and the share that moves. */
  public String summary() {
    if (isEmpty()) {
      return "%d buckets, already as wanted: nothing to move".formatted(current.count());
    }
    StringBuilder line = new StringBuilder("%d buckets:".formatted(current.count()));
    Set<ShardId> shards = new TreeSet<>(current.byShard().keySet());
    shards.addAll(target.byShard().keySet());
    String separator = " ";
    for (ShardId shard : shards) {
      BucketSet before = current.bucketsOf(shard);
      BucketSet after = target.bucketsOf(shard);
      line.append(separator).append("%s %d > %d".formatted(shard, before.size(), after.size()));
      separator = ", ";
    }
    return line.append(
            ". Moves %.0f %%, the fewest (hash mod N: %.0f %%)"
                .formatted(moved() * 100, movedByModulo() * 100))
        .toString();
  }
}
