package dev.reshard.routing;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a router knows: the last stored map that it read, and for single buckets newer news from the
 * shards themselves. Immutable.
 *
 * <p>For each bucket the higher epoch wins, wherever it came from: a shard says MOVED before the
 * control database has recorded it, and a slow answer may come after a later one.
 *
 * @param storedEpoch the epoch of the last stored map
 */
record Routes(long storedEpoch, List<ShardId> owners, List<Long> since) {
  Routes {
    owners = List.copyOf(owners);
    since = List.copyOf(since);
  }

  static Routes of(StoredMap stored) {
    return new Routes(stored.map().epoch(), stored.map().owners(), stored.since());
  }

  Route of(int bucket) {
    return new Route(bucket, owners.get(bucket), since.get(bucket));
  }

  Set<ShardId> ownersOf(Collection<Integer> buckets) {
    Set<ShardId> shards = new TreeSet<>();
    buckets.forEach(bucket -> shards.add(owners.get(bucket)));
    return shards;
  }

  /** Whether one of the buckets is known to have moved after the stored map was read. */
  boolean areAheadOfStored(Collection<Integer> buckets) {
    return buckets.stream().anyMatch(bucket -> since.get(bucket) > storedEpoch);
  }

  boolean isNews(Refusal.Moved moved) {
    return moved.bucket() >= 0
        && moved.bucket() < owners.size()
        && moved.epoch() > since.get(moved.bucket());
  }

  Routes with(Refusal.Moved moved) {
    if (!isNews(moved)) {
      return this;
    }
    ShardId[] newOwners = owners.toArray(ShardId[]::new);
    Long[] newSince = since.toArray(Long[]::new);
    newOwners[moved.bucket()] = moved.owner();
    newSince[moved.bucket()] = moved.epoch();
    return new Routes(storedEpoch, List.of(newOwners), List.of(newSince));
  }

  Routes with(StoredMap stored) {
    ShardMap map = stored.map();
    if (map.epoch() <= storedEpoch) {
      return this;
    }
    ShardId[] newOwners = owners.toArray(ShardId[]::new);
    Long[] newSince = since.toArray(Long[]::new);
    for (int bucket = 0; bucket < newOwners.length; bucket++) {
      if (stored.since().get(bucket) >= newSince[bucket]) {
        newOwners[bucket] = map.ownerOf(bucket);
        newSince[bucket] = stored.since().get(bucket);
      }
    }
    return new Routes(map.epoch(), List.of(newOwners), List.of(newSince));
  }
}
