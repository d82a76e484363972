package dev.reshard.routing;

import dev.reshard.keyspace.BucketUnknownException;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ServerLookup;
import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs an application's transactions on the shard that owns their keys, and again when the owner
 * changes meanwhile. Thread-safe; an application has one.
 *
 * <p>Keys are given as PostgreSQL writes them as text: {@code "4711"}, not {@code "04711"}.
 *
 * <pre>
 * run on the owner -- committed --------------------------------------> result
 *   ^   |
 *   |   +-- RS001, at a statement or at COMMIT: rolled back
 *   |         WAIT                      the bucket is closing: wait 1 to 10 ms ----+
 *   |         MOVED, newer epoch        take the owner from the error, no wait ----+
 *   |         MOVED, epoch not newer    read the stored map again, and wait -------+
 *   +--------------------------------------------------------------------------- --+
 *   any other failure, or an answer to COMMIT that was lost ----------> exception, no second try
 * </pre>
 *
 * <p>A write can therefore not get lost or go astray. A read may be up to one poll interval behind:
 * no guard tells it that its bucket has moved, and until then it sees the rows as they were when it
 * did. What this router wrote itself it also reads.
 */
public final class ShardRouter implements AutoCloseable {
  private final RouterConfig config;
  private final MapFollower follower;
  private final ShardPools pools;
  private final ServerLookup lookup;

  private ShardRouter(
      RouterConfig config, MapFollower follower, ShardPools pools, ServerLookup lookup) {
    this.config = config;
    this.follower = follower;
    this.pools = pools;
    this.lookup = lookup;
  }

  /**
   * Reads the map and begins to connect.
   *
   * @throws SQLException if the control database does not answer
   * @throws MapConflictException if it has no such keyspace, or one with another partitioning
   */
  public static ShardRouter open(RouterConfig config) throws SQLException {
    ServerLookup lookup = new ServerLookup(servers(config));
    MapFollower follower = MapFollower.start(config);
    try (Connection control = MapFollower.connect(config.control())) {
      Partitioning read = ShardMapStore.withKeys(control, config.keyspace(), config.partitioning());
      return new ShardRouter(
          config.withPartitioning(read.askingBy(lookup)), follower, new ShardPools(config), lookup);
    } catch (SQLException | RuntimeException e) {
      follower.close();
      throw e;
    }
  }

  /** Any shard can tell the bucket of a key, where Java cannot. */
  private static List<ServerLookup.Server> servers(RouterConfig config) {
    List<ServerLookup.Server> servers = new ArrayList<>();
    config.shards().values().forEach(shard -> servers.add(() -> MapFollower.connect(shard)));
    return servers;
  }

  /**
   * Where a key's rows are, as far as this router knows now.
   *
   * @throws IllegalArgumentException if the key can be placed nowhere
   * @throws BucketUnknownException if only a shard can tell the bucket, and none answered
   */
  public Route route(String key) {
    return follower.routes().of(bucketOf(key));
  }

  private int bucketOf(String key) {
    int bucket = config.partitioning().bucketOf(key);
    if (bucket == Partitioning.NO_BUCKET) {
      throw new IllegalArgumentException(
          "a key of no bucket: '%s' did not have it when keyspace %s was adopted; use a connection of your own"
              .formatted(config.partitioning().describe(), config.keyspace()));
    }
    return bucket;
  }

  /** As {@link #write(Collection, TransactionFunction)}, for rows of one key. */
  public <T> T write(String key, TransactionFunction<T> function) throws SQLException {
    return write(List.of(key), function);
  }

  /**
   * Runs one transaction that writes rows of these keys.
   *
   * @return what the function returned in the try that was committed
   * @throws DifferentOwnersException if no one shard owns all keys; nothing was run
   * @throws BucketsRefusedException if the shards refused until the timeout; nothing was written
   * @throws CommitUnknownException if the answer to COMMIT was lost
   * @throws SQLException whatever else the function met; nothing was written
   */
  public <T> T write(Collection<String> keys, TransactionFunction<T> function) throws SQLException {
    return run(keys, false, function);
  }

  /** As {@link #read(Collection, TransactionFunction)}, for rows of one key. */
  public <T> T read(String key, TransactionFunction<T> function) throws SQLException {
    return read(List.of(key), function);
  }

  /**
   * Runs one transaction that only reads rows of these keys; PostgreSQL refuses it any write.
   *
   * @throws DifferentOwnersException if no one shard owns all keys; nothing was run
   * @throws SQLException whatever the function met
   */
  public <T> T read(Collection<String> keys, TransactionFunction<T> function) throws SQLException {
    return run(keys, true, function);
  }

  /** Closes all connections, also those in use. Idempotent. */
  @Override
  public void close() {
    follower.close();
    pools.close();
    lookup.close();
  }

  private <T> T run(Collection<String> keys, boolean readOnly, TransactionFunction<T> function)
      throws SQLException {
    Set<Integer> buckets = bucketsOf(keys);
    if (buckets.isEmpty()) {
      throw new IllegalArgumentException("a transaction needs a key, to know its shard");
    }
    Patience patience = new Patience(config.timeout());
    try {
      for (int tries = 1; ; tries++) {
        ShardId owner = onlyOwner(buckets, patience);
        try {
          return ShardTransaction.run(pools, owner, readOnly, function);
        } catch (SQLException | RuntimeException e) {
          Optional<Refusal> refusal = Refusal.in(e);
          if (refusal.isEmpty()) {
            throw e;
          }
          if (patience.left().isNegative()) {
            throw new BucketsRefusedException(buckets, tries, patience.waited(), e);
          }
          heed(refusal.get(), patience);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException(
          "interrupted while waiting for buckets %s; nothing was written".formatted(buckets),
          "57014",
          e);
    }
  }

  private Set<Integer> bucketsOf(Collection<String> keys) throws SQLException {
    Set<Integer> buckets = new TreeSet<>();
    try {
      keys.forEach(key -> buckets.add(bucketOf(key)));
      return buckets;
    } catch (BucketUnknownException e) {
      SQLException why = e.sqlException();
      throw new SQLException(e.getMessage() + "; nothing was run", why.getSQLState(), e);
    }
  }

  private void heed(Refusal refusal, Patience patience) throws InterruptedException {
    Optional<Refusal.Moved> moved = refusal.moved();
    if (moved.isPresent()) {
      follower.refreshSoon();
    }
    if (moved.filter(follower::learn).isEmpty()) {
      patience.waitALittle();
    }
  }

  /**
   * The shard that owns all of the buckets. A refusal is only given on a map that was read after
   * the call began, if the control database answers, and not while it lacks what shards said: they
   * tell of one bucket at a time, though many move together.
   */
  private ShardId onlyOwner(Set<Integer> buckets, Patience patience)
      throws SQLException, InterruptedException {
    for (boolean asked = false; ; asked = true) {
      Routes routes = follower.routes();
      Set<ShardId> owners = routes.ownersOf(buckets);
      if (owners.size() == 1) {
        return owners.iterator().next();
      }
      Duration left = patience.left();
      if (left.isNegative() || (asked && !routes.areAheadOfStored(buckets))) {
        Map<Integer, ShardId> byBucket = new TreeMap<>();
        buckets.forEach(bucket -> byBucket.put(bucket, routes.of(bucket).owner()));
        throw new DifferentOwnersException(byBucket);
      }
      if (asked) {
        patience.waitALittle();
      }
      follower.refreshNow(left);
    }
  }
}
