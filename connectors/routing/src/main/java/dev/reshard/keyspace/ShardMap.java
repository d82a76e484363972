package dev.reshard.keyspace;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which shard owns each bucket, and since which epoch the map as a whole stands. Immutable.
 *
 * @param epoch grows by one at every change of any owner; 1 when a keyspace is adopted
 * @param owners the owner of bucket i at index i
 */
public record ShardMap(long epoch, List<ShardId> owners) {
  public ShardMap {
    owners = List.copyOf(owners);
    if (epoch < 1 || owners.isEmpty()) {
      throw new IllegalArgumentException("a map has an epoch from 1 and at least one bucket");
    }
  }

  /**
   * A map from each shard's buckets.
   *
   * @throws IllegalArgumentException naming the buckets that nobody or more than one shard owns
   */
  public static ShardMap of(long epoch, int count, Map<ShardId, BucketSet> buckets) {
    ShardId[] owners = new ShardId[count];
    buckets.forEach(
        (shard, set) ->
            set.stream()
                .forEach(
                    bucket -> {
                      if (bucket >= count) {
                        throw new IllegalArgumentException(
                            "bucket %d of shard %s: there are only %d (0-%d)"
                                .formatted(bucket, shard, count, count - 1));
                      }
                      if (owners[bucket] != null) {
                        throw new IllegalArgumentException(
                            "bucket %d belongs to both %s and %s"
                                .formatted(bucket, owners[bucket], shard));
                      }
                      owners[bucket] = shard;
                    }));
    BucketSet nobodys = BucketSet.of(IntStream.range(0, count).filter(b -> owners[b] == null));
    if (!nobodys.isEmpty()) {
      throw new IllegalArgumentException("no shard owns the buckets " + nobodys);
    }
    return new ShardMap(epoch, Arrays.asList(owners));
  }

  public int count() {
    return owners.size();
  }

  public ShardId ownerOf(int bucket) {
    return owners.get(bucket);
  }

  public BucketSet bucketsOf(ShardId shard) {
    return BucketSet.of(IntStream.range(0, count()).filter(b -> owners.get(b).equals(shard)));
  }

  /** Every owning shard with its buckets, in order of name. */
  public SortedMap<ShardId, BucketSet> byShard() {
    SortedMap<ShardId, BucketSet> result = new TreeMap<>();
    owners.stream().distinct().forEach(shard -> result.put(shard, bucketsOf(shard)));
    return result;
  }

  /** This map after {@code moves}, at {@code epoch}. */
  public ShardMap with(Collection<Move> moves, long epoch) {
    ShardId[] changed = owners.toArray(ShardId[]::new);
    for (Move move : moves) {
      move.buckets().stream().forEach(bucket -> changed[bucket] = move.destination());
    }
    return new ShardMap(epoch, Arrays.asList(changed));
  }
}
