package dev.reshard.migration;

import dev.reshard.apply.ChangedKeys;
import dev.reshard.apply.Lane;
import dev.reshard.apply.LaneConfig;
import dev.reshard.apply.LaneException;
import dev.reshard.apply.LaneLimits;
import dev.reshard.apply.LaneStatus;
import dev.reshard.capture.Capture;
import dev.reshard.capture.CaptureScope;
import dev.reshard.capture.CaptureSource;
import dev.reshard.capture.CaptureStatus;
import dev.reshard.capture.CaptureTarget;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Both directions of replication: a capture on every shard, a lane for every pair. Runs from
 * catching up until complete, so that a cutover can be taken back, and tried again, without
 * copying. Thread-safe.
 */
public final class Replication implements Service {

  /** Source and destination of a lane. */
  public record Pair(ShardId source, ShardId destination) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int bySource = source.compareTo(other.source);
      return bySource != 0 ? bySource : destination.compareTo(other.destination);
    }

    @Override
    public String toString() {
      return source + " > " + destination;
    }
  }

  private static final Logger log = LoggerFactory.getLogger(Replication.class);

  private final Migration migration;
  private final ChangedKeys listener;
  private final Map<ShardId, Capture> captures = new TreeMap<>();
  private final Map<Pair, Lane> lanes = new TreeMap<>();
  private boolean started;
  private boolean held;
  private boolean closed;

  /**
   * Starts nothing.
   *
   * @param listener learns every row that a lane changes
   */
  public Replication(Migration migration, ChangedKeys listener) {
    this.migration = migration;
    this.listener = listener;
  }

  @Override
  public synchronized void start() throws InterruptedException {
    if (started || closed) {
      return;
    }
    started = true;
    migration.captured().forEach(this::startCapture);
    for (Map.Entry<Pair, BucketSet> lane : pairs().entrySet()) {
      startLane(lane.getKey(), lane.getValue());
    }
  }

  /**
   * Starts the capture of one shard, whose replication slot is there: so the shard need not keep
   * its WAL until all rows are copied.
   */
  public synchronized void startCapture(ShardId shard) {
    if (!closed && !captures.containsKey(shard)) {
      Capture capture = capture(shard);
      captures.put(shard, capture);
      capture.start();
    }
  }

  /** Ends captures whose replication slot is gone: the copy makes another one. */
  synchronized void stopGone() {
    captures
        .values()
        .removeIf(
            capture -> {
              boolean gone = capture.status().isSlotGone();
              if (gone) {
                capture.close();
              }
              return gone;
            });
  }

  /** Ends the capture of one shard, before its replication slot is made anew. */
  public synchronized void stopCapture(ShardId shard) {
    Capture capture = captures.remove(shard);
    if (capture != null) {
      capture.close();
    }
  }

  /**
   * While held, lanes apply nothing; captures go on, so that no shard has to keep its WAL. A lane
   * that has stopped is held already.
   */
  @Override
  public void hold(boolean hold) throws InterruptedException {
    Collection<Lane> all;
    synchronized (this) {
      if (hold == held) {
        return;
      }
      held = hold;
      if (!hold) {
        restartStopped();
      }
      all = lanes();
    }
    for (Lane lane : all) {
      if (!hold) {
        lane.resume();
      } else if (!lane.status().isStopped()) {
        try {
          lane.hold();
        } catch (LaneException e) {
          log.info("a lane that has stopped need not be held: {}", e.getMessage());
        }
      }
    }
  }

  /** The lanes that have stopped by themselves. */
  public synchronized List<Pair> stopped() {
    return lanes.entrySet().stream()
        .filter(lane -> lane.getValue().status().isStopped())
        .map(Map.Entry::getKey)
        .toList();
  }

  /**
   * Starts the lanes again that have stopped, each where it was; one whose cause is not mended
   * stops again.
   *
   * @return which
   */
  public synchronized List<Pair> restartStopped() throws InterruptedException {
    List<Pair> again = new ArrayList<>();
    Map<Pair, BucketSet> pairs = pairs();
    for (Map.Entry<Pair, Lane> lane : Map.copyOf(lanes).entrySet()) {
      if (lane.getValue().status().isStopped()) {
        lane.getValue().close();
        startLane(lane.getKey(), pairs.get(lane.getKey()));
        again.add(lane.getKey());
      }
    }
    return again;
  }

  /**
   * Waits until a lane has applied and flushed a token.
   *
   * @return false if the time is over, or the lane has stopped before it
   */
  public boolean awaitToken(ShardId source, ShardId destination, String token, Duration timeout)
      throws InterruptedException {
    try {
      return lane(source, destination).awaitToken(token, timeout);
    } catch (LaneException e) {
      log.warn("lane {} > {} has stopped", source, destination, e);
      return false;
    }
  }

  /** What each lane carries; none only for one that carries just reference tables. */
  private Map<Pair, BucketSet> pairs() {
    Map<Pair, BucketSet> pairs = new TreeMap<>();
    for (Move move : migration.moves().all()) {
      pairs.merge(new Pair(move.source(), move.destination()), move.buckets(), BucketSet::plus);
      pairs.merge(new Pair(move.destination(), move.source()), move.buckets(), BucketSet::plus);
    }
    if (migration.hasReference()) {
      for (ShardId shard : migration.newShards()) {
        pairs.putIfAbsent(new Pair(migration.home(), shard), BucketSet.empty());
      }
    }
    return pairs;
  }

  private Capture capture(ShardId shard) {
    CaptureScope scope =
        new CaptureScope(
            migration.keyspace(),
            migration.moves().at(shard),
            migration.hasReference() && shard.equals(migration.home()),
            migration.spec().budget().maxRowBytes());
    CaptureSource source =
        new CaptureSource(
            migration.sessions(),
            shard,
            migration.slot(shard),
            migration.publication(),
            migration.worker().marker(),
            scope);
    return new Capture(
        source,
        new CaptureTarget(migration.kafka(), migration.topics().changes(shard)),
        this::incarnation,
        Capture.KAFKA_IS_ENOUGH);
  }

  private long incarnation() {
    try {
      return migration.control().nextIncarnation();
    } catch (SQLException e) {
      throw new IllegalStateException("no number for a new incarnation: " + e.getMessage(), e);
    }
  }

  /**
   * What the lane from one shard to another carries.
   *
   * @throws IllegalStateException if the migration has no such lane
   */
  LaneConfig config(ShardId source, ShardId destination) {
    Pair pair = new Pair(source, destination);
    BucketSet buckets = pairs().get(pair);
    if (buckets == null) {
      throw new IllegalStateException("no lane %s".formatted(pair));
    }
    return config(pair, buckets);
  }

  private LaneConfig config(Pair pair, BucketSet buckets) {
    boolean reference =
        migration.hasReference()
            && pair.source().equals(migration.home())
            && migration.newShards().contains(pair.destination());
    return new LaneConfig(
        pair.source(),
        pair.destination(),
        buckets,
        reference,
        migration.keyspace(),
        migration.worker());
  }

  /**
   * A lane that is not started yet, nor looked after.
   *
   * @param told learns every row that it changes; may be null
   */
  Lane newLane(LaneConfig config, ChangedKeys told) {
    return new Lane(
        config,
        LaneLimits.DEFAULT,
        migration.sessions(),
        position ->
            new TopicSource(
                migration.kafka(),
                migration.topics().changes(config.source()),
                position,
                new CountedColumns(migration.keyspace().ignored())),
        told);
  }

  private void startLane(Pair pair, BucketSet buckets) throws InterruptedException {
    Lane lane = newLane(config(pair, buckets), listener);
    lanes.put(pair, lane);
    if (held) {
      lane.hold(); // before it has a batch that would have to be waited for
    }
    lane.start();
  }

  /**
   * The lane from one shard to another.
   *
   * @throws IllegalStateException if there is none, or none yet
   */
  public synchronized Lane lane(ShardId source, ShardId destination) {
    Lane lane = lanes.get(new Pair(source, destination));
    if (lane == null) {
      throw new IllegalStateException("no lane %s > %s runs".formatted(source, destination));
    }
    return lane;
  }

  public synchronized Collection<Lane> lanes() {
    return List.copyOf(lanes.values());
  }

  /** What the captures that run, or have given up, do. */
  public synchronized Map<ShardId, CaptureStatus> captures() {
    Map<ShardId, CaptureStatus> all = new TreeMap<>();
    captures.forEach((shard, capture) -> all.put(shard, capture.status()));
    return all;
  }

  /** How far the lane that is furthest behind is; empty while one has not applied anything yet. */
  public synchronized Optional<Duration> lag() {
    Duration most = Duration.ZERO;
    for (Lane lane : lanes.values()) {
      Optional<Duration> lag = lane.status().lag();
      if (lag.isEmpty()) {
        return Optional.empty();
      }
      most = lag.get().compareTo(most) > 0 ? lag.get() : most;
    }
    return lanes.isEmpty() ? Optional.empty() : Optional.of(most);
  }

  @Override
  public synchronized Optional<String> trouble() {
    for (Capture capture : captures.values()) {
      CaptureStatus status = capture.status();
      if (!status.reason().isEmpty()) {
        return Optional.of(status.reason());
      }
    }
    for (Map.Entry<Pair, Lane> lane : lanes.entrySet()) {
      Optional<String> reason = lane.getValue().status().reason();
      if (reason.isPresent()) {
        return Optional.of("lane %s: %s".formatted(lane.getKey(), reason.get()));
      }
    }
    return Optional.empty();
  }

  @Override
  public synchronized Map<String, Object> report() {
    List<Map<String, Object>> lines = new ArrayList<>();
    for (Map.Entry<Pair, Lane> lane : lanes.entrySet()) {
      LaneStatus status = lane.getValue().status();
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("source", lane.getKey().source().name());
      line.put("destination", lane.getKey().destination().name());
      line.put("state", status.state().name());
      line.put("applied", status.applied().applied().toString());
      line.put("rows", status.rows());
      line.put("lag_ms", status.lag().map(Duration::toMillis).orElse(null));
      line.put("reason", status.reason().orElse(""));
      lines.add(line);
    }
    return Map.of("lanes", lines, "captures", captureLines());
  }

  private List<Map<String, Object>> captureLines() {
    List<Map<String, Object>> lines = new ArrayList<>();
    captures.forEach(
        (shard, capture) -> {
          CaptureStatus status = capture.status();
          Map<String, Object> line = new LinkedHashMap<>();
          line.put("shard", shard.name());
          line.put("state", status.state().name());
          line.put("incarnation", status.incarnation());
          line.put("published", status.published().toString());
          line.put("reason", status.reason());
          lines.add(line);
        });
    return lines;
  }

  @Override
  public synchronized void close() {
    closed = true;
    lanes.values().forEach(Lane::close);
    lanes.clear();
    captures.values().parallelStream().forEach(Capture::close);
    captures.clear();
  }
}
