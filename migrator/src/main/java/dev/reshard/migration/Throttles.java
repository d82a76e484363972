package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.control.ThrottleSetting;
import dev.reshard.keyspace.ShardId;
import dev.reshard.spec.Rate;
import dev.reshard.spec.ThrottleSpec;
import dev.reshard.throttle.Limit;
import dev.reshard.throttle.Limits;
import dev.reshard.throttle.SourceWatch;
import dev.reshard.throttle.Throttle;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * One throttle for each shard, for its copy, its comparison and its purge: by the file, by what an
 * operator has stored, and by the WAL that is kept. It runs in all states, and never holds back
 * lanes or a hand-over. Thread-safe.
 */
public final class Throttles implements Service {
  private static final long STOP_LIMIT_MS = 2_000;

  /** Until somebody has looked, as an operator may have asked for a pause. */
  private static final Limits NOT_LOOKED_YET =
      Limits.of(List.of(new Limit(new Rate(Rate.Unit.BYTES, 0), "the limits are being read")));

  private final Migration migration;
  private final Supplier<List<Limit>> wal;
  private final Map<ShardId, Throttle> throttles = new TreeMap<>();
  private final RepeatedLook watch = new RepeatedLook("throttle", this::look);
  private final List<Thread> threads = new ArrayList<>();
  private volatile Optional<ThrottleSetting.Asked> asked = Optional.empty();
  private boolean closed;

  /**
   * Starts nothing.
   *
   * @param wal the limits that WAL budgets set now
   */
  public Throttles(Migration migration, Supplier<List<Limit>> wal) {
    this.migration = migration;
    this.wal = wal;
    migration.captured().forEach(shard -> throttles.put(shard, new Throttle(NOT_LOOKED_YET)));
  }

  /** What work on that shard's rows waits for. */
  public Throttle of(ShardId shard) {
    return throttles.get(shard);
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return true; // from the copy to the purge
  }

  @Override
  public synchronized void start() throws SQLException {
    if (!threads.isEmpty() || closed) {
      return;
    }
    asked = migration.control().throttle().read();
    watch.start();
    throttles.forEach(
        (source, throttle) ->
            threads.add(
                new Thread(
                    new SourceWatch(
                        migration.sessions(), source, ofFile(source), throttle, this::asked),
                    "throttle " + source)));
    threads.forEach(
        thread -> {
          thread.setDaemon(true);
          thread.start();
        });
  }

  /** Its question is one to sources: elsewhere it may have no answer, and then it would pause. */
  private ThrottleSpec ofFile(ShardId shard) {
    ThrottleSpec file = migration.spec().throttle();
    return migration.copied().contains(shard)
        ? file
        : new ThrottleSpec(file.rates(), file.windows(), file.latency(), Optional.empty());
  }

  /** What cannot be read now stays as it was. */
  private void look() throws SQLException {
    asked = migration.control().throttle().read();
  }

  private SourceWatch.Asked asked() {
    Optional<ThrottleSetting.Asked> now = asked;
    List<Limit> limits = new ArrayList<>(wal.get());
    now.ifPresent(
        by ->
            by.rate()
                .ifPresent(
                    rate -> limits.add(new Limit(rate, "'reshard throttle' by " + by.who()))));
    return new SourceWatch.Asked(now.filter(by -> by.rate().isEmpty()).isPresent(), limits);
  }

  /** {@code throttle}: of each shard that something holds back now, what. */
  @Override
  public Map<String, Object> report() {
    List<Map<String, Object>> lines = new ArrayList<>();
    throttles.forEach(
        (source, throttle) ->
            throttle
                .told()
                .filter(limit -> throttle.isBusy())
                .ifPresent(
                    limit -> {
                      Map<String, Object> line = new LinkedHashMap<>();
                      line.put("source", source.name());
                      line.put("limit", limit.toString());
                      lines.add(line);
                    }));
    return Map.of("throttle", lines);
  }

  @Override
  public void close() {
    List<Thread> running;
    synchronized (this) {
      closed = true;
      running = List.copyOf(threads);
    }
    watch.close();
    running.forEach(Thread::interrupt);
    try {
      for (Thread thread : running) {
        thread.join(STOP_LIMIT_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
