package dev.reshard.spec;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.KeyLookup;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A migration file: from today's shard map to a target map. Immutable.
 *
 * @param migration names topics, replication slots and control rows
 * @param control the shard that keeps the map, the state and the lease; also the home of reference
 *     tables
 * @param kafka plain client properties for every Kafka client; may hold secrets. Empty: the worker
 *     runs a broker of its own, for rehearsals
 * @param keepsSequences whether ids are unique over all shards already, so that a destination's
 *     sequences need no ranges of their own
 * @param from who owns what when the keyspace is adopted; afterwards the stored map is the truth
 */
public record Spec(
    String migration,
    Map<ShardId, Shard> shards,
    ShardId control,
    Map<String, Secret> kafka,
    Topics topics,
    KeyspaceSpec keyspace,
    Map<ShardId, BucketSet> from,
    Target to,
    Budget budget,
    Gates gates,
    Shadow shadow,
    Copy copy,
    ThrottleSpec throttle,
    boolean keepsSequences) {

  /** The same, whose buckets are asked for by {@code lookup} where Java cannot find them. */
  public Spec askingBy(KeyLookup lookup) {
    return with(keyspace.buckets().askingBy(lookup), from);
  }

  /** Whether the worker runs the broker, in its own process. */
  public boolean embedsKafka() {
    return kafka.isEmpty();
  }

  /** The same, with the address of the worker's own broker. */
  public Spec reachingKafka(String servers) {
    return new Spec(
        migration,
        shards,
        control,
        Map.of("bootstrap.servers", new Secret(servers)),
        topics,
        keyspace,
        from,
        to,
        budget,
        gates,
        shadow,
        copy,
        throttle,
        keepsSequences);
  }

  /** The same, with what was read of a directory: its keys, and who has which of them. */
  public Spec with(Partitioning read, Map<ShardId, BucketSet> owners) {
    return new Spec(
        migration,
        shards,
        control,
        kafka,
        topics,
        keyspace.with(read),
        owners,
        to,
        budget,
        gates,
        shadow,
        copy,
        throttle,
        keepsSequences);
  }

  /**
   * A shard's direct address and who we are there.
   *
   * @param diskFree bytes that its disk has left, as SQL cannot see them; empty if nobody said
   */
  public record Shard(ShardId id, String url, String user, Secret password, OptionalLong diskFree) {
    public Shard(ShardId id, String url, String user, Secret password) {
      this(id, url, user, password, OptionalLong.empty());
    }
  }

  /** How topics are made: what their names begin with, and copies of each record. */
  public record Topics(String prefix, short replication) {}

  /**
   * The tables that move together.
   *
   * @param key the column of the shard key in every sharded table that {@code keyOf} does not name
   * @param buckets the function that placed the rows, and how many buckets it makes
   * @param sharded names, or {@code schema.*}; a name beats a wildcard of another list
   * @param acceptCrossShardUnique names, or {@code schema.*}, of tables whose unique keys without
   *     the shard key are global by other means (HAZARDS F25)
   * @param ignoredColumns columns that are neither copied, replicated nor compared
   */
  public record KeyspaceSpec(
      String name,
      String key,
      Partitioning buckets,
      List<String> sharded,
      Map<TableId, String> keyOf,
      List<String> reference,
      List<String> ignored,
      List<String> acceptCrossShardUnique,
      Map<TableId, Set<String>> ignoredColumns) {

    /** All of whose columns count. */
    public KeyspaceSpec(
        String name,
        String key,
        Partitioning buckets,
        List<String> sharded,
        Map<TableId, String> keyOf,
        List<String> reference,
        List<String> ignored,
        List<String> acceptCrossShardUnique) {
      this(
          name, key, buckets, sharded, keyOf, reference, ignored, acceptCrossShardUnique, Map.of());
    }

    /** Whether the table's unique keys may lack the shard key. */
    public boolean acceptsCrossShardUnique(TableId table) {
      return acceptCrossShardUnique.contains(table.toString())
          || acceptCrossShardUnique.contains(table.schema() + ".*");
    }

    private KeyspaceSpec with(Partitioning same) {
      return new KeyspaceSpec(
          name,
          key,
          same,
          sharded,
          keyOf,
          reference,
          ignored,
          acceptCrossShardUnique,
          ignoredColumns);
    }
  }

  /** Who shall own what: written out, or the same number of buckets on each of some shards. */
  public sealed interface Target {
    /** Every shard's buckets. */
    record Owners(Map<ShardId, BucketSet> buckets) implements Target {}

    /** As many buckets on each of these shards, by the fewest moves. */
    record Balance(List<ShardId> shards) implements Target {}

    /** New owners of some keys of a directory; the others stay. */
    record Keys(Map<String, ShardId> owners) implements Target {

      /**
       * Every shard's buckets.
       *
       * @throws IllegalArgumentException naming a key that the directory does not have
       */
      public Owners in(ShardMap current, Partitioning directory) {
        List<ShardId> wanted = new ArrayList<>(current.owners());
        owners.forEach(
            (key, shard) -> {
              int bucket = directory.bucketOf(key);
              if (bucket == Partitioning.NO_BUCKET) {
                throw new IllegalArgumentException(
                    "'%s' is not in the directory as it was when the keyspace was adopted"
                        .formatted(key));
              }
              wanted.set(bucket, shard);
            });
        return new Owners(new ShardMap(current.epoch(), wanted).byShard());
      }
    }
  }

  /**
   * What users may feel.
   *
   * @param pause the longest write pause: past it the fence is lifted and nothing has moved
   * @param wal bytes that each of our replication slots may make its shard keep: past it the
   *     migration is paused; empty if nobody said
   * @param maxRowBytes the most that one row may take, as text where it is streamed: a larger one
   *     would take the worker's memory, so the migration is paused and names it
   */
  public record Budget(Duration pause, OptionalLong wal, long maxRowBytes) {
    static final long MAX_ROW_BYTES = 64L << 20;

    public Budget(Duration pause) {
      this(pause, OptionalLong.empty(), MAX_ROW_BYTES);
    }
  }

  /**
   * What must hold before a cutover.
   *
   * @param lag the most that any lane may be behind
   * @param mismatch upper bound (95 %) of the share of dual reads that differ, 0 to 1
   */
  public record Gates(Duration lag, double mismatch) {}

  /** Dual reads per second that the prober makes; 0 makes none. */
  public record Shadow(int probe) {}

  /**
   * How each source is copied.
   *
   * @param workers how many chunks at a time; empty: as many as suit the source
   * @param batchBytes how much is gathered for a destination before it is sent
   * @param prefetch how many of these batches may wait for a destination, while more is read
   * @param first the tables that are copied before all others, in this order
   * @param timeout a chunk of which no row has come or gone for so long is tried again
   * @param snapshot the longest that a snapshot is held: then a round ends, and another begins
   */
  public record Copy(
      OptionalInt workers,
      int batchBytes,
      int prefetch,
      List<TableId> first,
      Duration timeout,
      Duration snapshot) {
    static final int BATCH_BYTES = 512 << 10;
    static final int PREFETCH = 3;
    static final Duration TIMEOUT = Duration.ofMinutes(5);
    static final Duration SNAPSHOT = Duration.ofHours(1);
    private static final int MOST_WORKERS = 4;
    private static final int CORES_PER_WORKER = 4;

    public Copy {
      first = List.copyOf(first);
    }

    public Copy(int workers) {
      this(OptionalInt.of(workers), BATCH_BYTES, PREFETCH, List.of(), TIMEOUT, SNAPSHOT);
    }

    /** The most that there can be on any source. */
    public int mostWorkers() {
      return workers.orElse(MOST_WORKERS);
    }

    /**
     * As many as the file says, else one for four cores, four at most.
     *
     * @param cores of the source, as far as its settings tell
     */
    public int workersOn(int cores) {
      return workers.orElse(Math.min(MOST_WORKERS, Math.max(1, cores / CORES_PER_WORKER)));
    }
  }
}
