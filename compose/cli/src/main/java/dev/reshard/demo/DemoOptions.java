package dev.reshard.demo;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What the demo shows. Immutable.
 *
 * @param rows loaded over all shards
 * @param tps write transactions a second
 * @param before shards that own buckets at first
 * @param after shards that own buckets in the end
 */
record DemoOptions(long rows, int tps, int before, int after, Path report, boolean keep) {
  static final HashBuckets PARTITIONING = new HashBuckets(HashBuckets.Function.MODULO, 1024);
  static final String MIGRATION = "shop";
  static final int CLIENTS = 8;

  /** Names of all shards: a, b, c .. */
  List<String> shards() {
    return names(Math.max(before, after));
  }

  List<String> shardsAfter() {
    return names(after);
  }

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> String.valueOf((char) ('a' + i))).toList();
  }

  /** The first shards own an equal range of buckets each. */
  Map<ShardId, BucketSet> from() {
    Map<ShardId, BucketSet> owners = new TreeMap<>();
    for (int i = 0; i < before; i++) {
      owners.put(
          new ShardId(shards().get(i)),
          BucketSet.range(
              PARTITIONING.count() * i / before, PARTITIONING.count() * (i + 1) / before));
    }
    return owners;
  }

  ShardMap mapBefore() {
    return ShardMap.of(1, PARTITIONING.count(), from());
  }
}
