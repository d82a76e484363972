package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Buckets that leave one source together, for one destination or several. Immutable.
 *
 * @param migration the migration's name
 * @param name tells it from the migration's other units; the same on all its shards
 * @param moves at least one; all from the same source
 */
public record Unit(String migration, String name, List<Move> moves) {
  public Unit {
    moves = List.copyOf(moves);
    if (name.isEmpty() || moves.stream().map(Move::source).distinct().count() != 1) {
      throw new IllegalArgumentException("a unit has a name, and moves from exactly one source");
    }
  }

  public ShardId source() {
    return moves.get(0).source();
  }

  /** The source and all destinations: a guard is armed on each. */
  public Set<ShardId> shards() {
    Set<ShardId> shards = new TreeSet<>(Set.of(source()));
    moves.forEach(move -> shards.add(move.destination()));
    return shards;
  }

  /** The buckets that leave or enter {@code shard} with this unit. */
  public BucketSet at(ShardId shard) {
    return moves.stream()
        .filter(move -> move.source().equals(shard) || move.destination().equals(shard))
        .map(Move::buckets)
        .reduce(BucketSet.empty(), BucketSet::plus);
  }

  @Override
  public String toString() {
    return "unit %s of migration %s".formatted(name, migration);
  }
}
