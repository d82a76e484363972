package dev.reshard.keyspace;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** All that one migration moves: at most one {@link Move} for a pair of shards. Immutable. */
public record Moves(List<Move> all) {
  public Moves {
    all =
        all.stream()
            .sorted(Comparator.comparing(Move::source).thenComparing(Move::destination))
            .toList();
  }

  /** What leads from one map to another with as many buckets. */
  public static Moves between(ShardMap current, ShardMap target) {
    Map<ShardId, Map<ShardId, BucketSet>> bySource = new TreeMap<>();
    IntStream.range(0, current.count())
        .filter(bucket -> !current.ownerOf(bucket).equals(target.ownerOf(bucket)))
        .forEach(
            bucket ->
                bySource
                    .computeIfAbsent(current.ownerOf(bucket), source -> new TreeMap<>())
                    .merge(target.ownerOf(bucket), BucketSet.of(bucket), BucketSet::plus));
    List<Move> moves = new ArrayList<>();
    bySource.forEach(
        (source, destinations) ->
            destinations.forEach(
                (destination, buckets) -> moves.add(new Move(source, destination, buckets))));
    return new Moves(moves);
  }

  public List<Move> from(ShardId source) {
    return all.stream().filter(move -> move.source().equals(source)).toList();
  }

  public List<Move> to(ShardId destination) {
    return all.stream().filter(move -> move.destination().equals(destination)).toList();
  }

  public Set<ShardId> sources() {
    Set<ShardId> shards = new TreeSet<>();
    all.forEach(move -> shards.add(move.source()));
    return shards;
  }

  public Set<ShardId> destinations() {
    Set<ShardId> shards = new TreeSet<>();
    all.forEach(move -> shards.add(move.destination()));
    return shards;
  }

  /**
   * Destinations that own nothing yet and lack the rows of reference tables.
   *
   * @param before who owned what before the moves
   * @param home the shard that all others get those rows from
   */
  public Set<ShardId> newShards(ShardMap before, ShardId home) {
    Set<ShardId> shards = destinations();
    shards.removeAll(before.byShard().keySet());
    shards.remove(home);
    return shards;
  }

  /** Sources and destinations. */
  public Set<ShardId> shards() {
    Set<ShardId> shards = new TreeSet<>(sources());
    shards.addAll(destinations());
    return shards;
  }

  /** The buckets that leave or enter {@code shard}. */
  public BucketSet at(ShardId shard) {
    return all.stream()
        .filter(move -> move.source().equals(shard) || move.destination().equals(shard))
        .map(Move::buckets)
        .reduce(BucketSet.empty(), BucketSet::plus);
  }

  public BucketSet buckets() {
    return all.stream().map(Move::buckets).reduce(BucketSet.empty(), BucketSet::plus);
  }

  /** Where a bucket that leaves {@code source} goes; empty if it stays. */
  public Optional<ShardId> destinationOf(ShardId source, int bucket) {
    return from(source).stream()
        .filter(move -> move.buckets().contains(bucket))
        .map(Move::destination)
        .findFirst();
  }
}
