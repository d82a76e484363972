package dev.reshard.probe;

import dev.reshard.keyspace.BucketUnknownException;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Service;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads rows on both sides of every move, as many per second in all as the spec says, and sends
 * what it saw to the topic of shadow reads; what it reads before that topic is there is lost. With
 * a rate of 0 it does nothing. Thread-safe.
 */
public final class Prober implements Service {
  private static final long STOP_MS = 2_000;

  private final Migration migration;
  private final ProbeCounts counts = new ProbeCounts();
  private final Map<Move, ChangedRows> changed;
  private final Map<TableId, String> shardKeys;
  private final List<MoveProber> probers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private ReadTopic topic;
  private boolean isClosed;

  public Prober(Migration migration) {
    this.migration = migration;
    this.changed =
        migration.moves().all().stream()
            .collect(Collectors.toUnmodifiableMap(move -> move, move -> new ChangedRows()));
    this.shardKeys =
        migration.keyspace().sharded().stream()
            .collect(Collectors.toUnmodifiableMap(ShardedTable::id, ShardedTable::key));
  }

  /**
   * Says that a lane has changed a row, so that it is compared soon, if there is room. Waits for
   * nothing but a server that has to be asked for the bucket; for the threads of lanes. What
   * belongs to no move is of no interest.
   *
   * @param columns that name the row, at least the row key's
   * @param key their values as text, in that order; may hold nulls
   */
  public void changed(TableId table, List<String> columns, List<String> key) {
    String shardKey = shardKeys.get(table);
    if (shardKey == null || migration.spec().shadow().probe() == 0) {
      return;
    }
    int place = columns.indexOf(shardKey);
    if (place < 0 || key.get(place) == null) {
      return;
    }
    OptionalInt bucket = bucketOf(key.get(place));
    changed.forEach(
        (move, rows) -> {
          if (bucket.isPresent() && move.buckets().contains(bucket.getAsInt())) {
            rows.offer(table, columns, key);
          }
        });
  }

  /** Mostly remembered: capture has just asked for it. A lane must not fail for it. */
  private OptionalInt bucketOf(String key) {
    try {
      return OptionalInt.of(migration.keyspace().partitioning().bucketOf(key));
    } catch (BucketUnknownException | IllegalArgumentException e) {
      return OptionalInt.empty();
    }
  }

  @Override
  public synchronized void start() {
    int perSecond = migration.spec().shadow().probe();
    if (perSecond == 0 || topic != null || isClosed) {
      return;
    }
    topic = new ReadTopic(migration.kafka(), migration.topics().shadowReads());
    Places places = new Places(migration.control());
    long interval = TimeUnit.SECONDS.toNanos(1) * migration.moves().all().size() / perSecond;
    for (Move move : migration.moves().all()) {
      MoveProber prober =
          new MoveProber(migration, move, changed.get(move), places, topic, counts, interval);
      Thread thread =
          new Thread(prober, "dual reads %s > %s".formatted(move.source(), move.destination()));
      thread.setDaemon(true);
      probers.add(prober);
      threads.add(thread);
      thread.start();
    }
  }

  @Override
  public synchronized Optional<String> trouble() {
    return Stream.concat(
            probers.stream().map(MoveProber::trouble),
            Stream.ofNullable(topic).map(ReadTopic::failure))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /** {@code probes}: pairs of reads by this process; empty if none are asked for. */
  @Override
  public Map<String, Object> report() {
    return migration.spec().shadow().probe() == 0 ? Map.of() : Map.of("probes", counts.report());
  }

  @Override
  public synchronized void close() {
    if (isClosed) {
      return;
    }
    isClosed = true;
    probers.forEach(MoveProber::stop);
    try {
      long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STOP_MS);
      for (Thread thread : threads) {
        thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    probers.forEach(MoveProber::abort);
    if (topic != null) {
      topic.close();
    }
  }
}
