package dev.reshard.routing;

import dev.reshard.keyspace.ShardMap;
import java.util.List;

/**
 * A keyspace's map as the control database has it. Immutable.
 *
 * @param partitioning what {@link dev.reshard.keyspace.Partitioning#describe} said when the map was
 *     adopted
 * @param since the epoch at which bucket i came to its owner, at index i
 */
public record StoredMap(String keyspace, String partitioning, ShardMap map, List<Long> since) {
  public StoredMap {
    since = List.copyOf(since);
    if (since.size() != map.count()) {
      throw new IllegalArgumentException(
          "keyspace %s: %d buckets, but %d epochs".formatted(keyspace, map.count(), since.size()));
    }
  }
}
