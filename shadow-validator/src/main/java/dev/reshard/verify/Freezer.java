package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Brings a source and its destinations to the same position for an instant. Confined to one thread.
 *
 * <p>The lanes are held first, then the anchor is taken: a lane that runs on has passed the
 * anchor's position before the server has told it (HAZARDS F21). They are let go as soon as the
 * snapshots are open. If that takes longer than the limit they are let go without, and it is tried
 * again later; a long transaction on the source is the usual reason.
 */
final class Freezer {
  /** The longest that a comparison may add to a lane's lag. */
  static final Duration HOLD_LIMIT = Duration.ofSeconds(2);

  private static final int ATTEMPTS = 5;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

  private final ShardSessions sessions;
  private final ShardId source;
  private final List<HeldLane> lanes;

  /**
   * @param lanes one to each destination; at least one
   */
  Freezer(ShardSessions sessions, ShardId source, List<HeldLane> lanes) {
    this.sessions = sessions;
    this.source = source;
    this.lanes = List.copyOf(lanes);
  }

  /**
   * @param slot name of a temporary replication slot, gone when this returns
   * @throws ComparisonException if every try took longer than the lanes may be held
   */
  FrozenSides freeze(String slot) throws SQLException, InterruptedException {
    Duration pause = FIRST_PAUSE;
    for (int attempt = 1; ; attempt++) {
      try {
        return freezeOnce(slot);
      } catch (SQLTimeoutException e) {
        if (attempt == ATTEMPTS) {
          throw new ComparisonException(
              ("Source %s and its destinations were not brought to one position in %d tries of %s;"
                      + " the lanes run on, nothing was compared. Last reason: %s")
                  .formatted(source, ATTEMPTS, HOLD_LIMIT, e.getMessage()),
              e);
        }
        Thread.sleep(pause.toMillis());
        pause = pause.multipliedBy(2);
      }
    }
  }

  private FrozenSides freezeOnce(String slot) throws SQLException, InterruptedException {
    Map<ShardId, Connection> sources = new TreeMap<>();
    Map<ShardId, Connection> destinations = new TreeMap<>();
    boolean frozen = false;
    try {
      for (HeldLane lane : lanes) {
        sources.put(lane.destination(), sessions.open(source, "verify"));
        destinations.put(lane.destination(), sessions.open(lane.destination(), "verify"));
      }
      long start = System.nanoTime();
      Connection any = sources.values().iterator().next();
      try (AnchorHolder anchor = holdAt(slot, start + HOLD_LIMIT.toNanos(), any, destinations)) {
        Duration held = Duration.ofNanos(System.nanoTime() - start);
        for (Connection session : sources.values()) {
          anchor.begin(session);
        }
        frozen = true;
        return new FrozenSides(anchor.anchor().position(), sources, destinations, held);
      }
    } finally {
      if (!frozen) {
        FrozenSides.closeAll(sources);
        FrozenSides.closeAll(destinations);
      }
    }
  }

  /** Returns with the lanes running again, and the destinations' snapshots open. */
  private AnchorHolder holdAt(
      String slot, long deadline, Connection source, Map<ShardId, Connection> destinations)
      throws SQLException, InterruptedException {
    AnchorHolder anchor = null;
    boolean reached = false;
    try {
      for (HeldLane lane : lanes) {
        lane.hold();
      }
      anchor =
          AnchorHolder.take(
              sessions, this.source, slot, ReplicationSlots.Kind.TEMPORARY, until(deadline));
      beat(source);
      applyAllTo(anchor.anchor().position(), deadline);
      for (Connection destination : destinations.values()) {
        openSnapshot(destination);
      }
      reached = true;
      return anchor;
    } finally {
      lanes.forEach(HeldLane::resume);
      if (anchor != null && !reached) {
        anchor.close();
      }
    }
  }

  /** A transaction behind the anchor, by which a lane sees at once that it has all before it. */
  private static void beat(Connection source) throws SQLException {
    try (PreparedStatement statement =
        source.prepareStatement("SELECT pg_logical_emit_message(true, ?, ?)")) {
      statement.setString(1, Marker.HEARTBEAT);
      statement.setString(2, Long.toString(System.currentTimeMillis()));
      statement.execute();
    }
  }

  private void applyAllTo(Lsn position, long deadline) throws SQLException, InterruptedException {
    Map<ShardId, FutureTask<Boolean>> running = new TreeMap<>();
    for (HeldLane lane : lanes) {
      FutureTask<Boolean> task = new FutureTask<>(() -> lane.applyTo(position, until(deadline)));
      running.put(lane.destination(), task);
      new Thread(task, "apply-to-" + lane.destination()).start();
    }
    ShardId late = null;
    for (Map.Entry<ShardId, FutureTask<Boolean>> each : running.entrySet()) {
      late = get(each.getValue()) ? late : each.getKey();
    }
    if (late != null) {
      throw new SQLTimeoutException(
          "the lane from %s to %s did not reach %s in time".formatted(source, late, position));
    }
  }

  private static boolean get(FutureTask<Boolean> task) throws InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException("a held lane did not run", e.getCause());
    }
  }

  private static void openSnapshot(Connection destination) throws SQLException {
    destination.setAutoCommit(false);
    try (Statement statement = destination.createStatement()) {
      statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      statement.execute("SELECT txid_current_snapshot()");
    }
  }

  private static Duration until(long deadline) {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }
}
