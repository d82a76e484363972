package dev.reshard.routing;

import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import java.time.Duration;
import java.util.Map;

/**
 * What a router must know. Immutable.
 *
 * @param keyspace its name in the stored map
 * @param partitioning must be the one that the map was stored with
 * @param control where the map is
 * @param shards all shards, also those that own nothing yet; connections to each are opened ahead,
 *     so that the first write after a cutover does not wait for a login
 * @param poolSize connections to each shard
 * @param timeout how long one call may wait for buckets that refuse writes; a cutover's pause
 *     budget (250 ms by default) must fit several times
 * @param poll how often the stored map is looked at
 */
public record RouterConfig(
    String keyspace,
    Partitioning partitioning,
    DatabaseAddress control,
    Map<ShardId, DatabaseAddress> shards,
    int poolSize,
    Duration timeout,
    Duration poll) {
  public RouterConfig {
    shards = Map.copyOf(shards);
    if (shards.isEmpty() || poolSize < 1 || !isPositive(timeout) || !isPositive(poll)) {
      throw new IllegalArgumentException(
          "a router needs a shard, a connection to each, a timeout and a poll interval; got %s, %d, %s, %s"
              .formatted(shards, poolSize, timeout, poll));
    }
  }

  /** Ten connections to each shard, 10 s of patience, a look at the map every second. */
  public static RouterConfig of(
      String keyspace,
      Partitioning partitioning,
      DatabaseAddress control,
      Map<ShardId, DatabaseAddress> shards) {
    return new RouterConfig(
        keyspace, partitioning, control, shards, 10, Duration.ofSeconds(10), Duration.ofSeconds(1));
  }

  RouterConfig withPartitioning(Partitioning same) {
    return new RouterConfig(keyspace, same, control, shards, poolSize, timeout, poll);
  }

  public RouterConfig withPoolSize(int connections) {
    return new RouterConfig(keyspace, partitioning, control, shards, connections, timeout, poll);
  }

  public RouterConfig withTimeout(Duration patience) {
    return new RouterConfig(keyspace, partitioning, control, shards, poolSize, patience, poll);
  }

  public RouterConfig withPoll(Duration interval) {
    return new RouterConfig(keyspace, partitioning, control, shards, poolSize, timeout, interval);
  }

  private static boolean isPositive(Duration duration) {
    return !duration.isZero() && !duration.isNegative();
  }
}
