package dev.reshard.migration;

import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.MigrationState;
import dev.reshard.control.RefusedException;
import dev.reshard.control.StageUnit;
import dev.reshard.guard.Arming;
import dev.reshard.guard.Guard;
import dev.reshard.guard.GuardState;
import dev.reshard.guard.Patience;
import dev.reshard.guard.PrivateRanges;
import dev.reshard.guard.Probe;
import dev.reshard.guard.Unit;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.postgres.SqlState;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guards of one migration on all its shards: one for each move, on its source and on its
 * destination. As a service it sees to it, whenever a worker starts or tables were altered, that
 * none of their triggers is missing. Confined to one thread, save {@link #lookAgain}.
 */
public final class Guards implements Service {
  /** Fewer ids of type int than this on a destination would soon be used up. */
  private static final long SMALLEST_INT_RANGE = 1_000_000;

  private static final Logger log = LoggerFactory.getLogger(Guards.class);
  private static final long LOOK_AGAIN_NANOS = 15_000_000_000L;

  private final Migration migration;
  private final Arming arming;
  private final PrivateRanges ranges;
  private volatile boolean looked;
  private long lookAgainNanos = System.nanoTime();
  private volatile Optional<String> trouble = Optional.empty();

  public Guards(Migration migration) {
    this.migration = migration;
    this.arming = new Arming(migration.keyspace(), migration.worker(), Patience.POLITE);
    this.ranges = new PrivateRanges(migration.keyspace(), Patience.POLITE);
  }

  /** The guard's unit of a move. */
  public static Unit unitOf(Migration migration, Move move) {
    return new Unit(migration.name(), move.source() + ">" + move.destination(), List.of(move));
  }

  /** The move that a stored unit stands for. */
  public static Move moveOf(Migration migration, StageUnit unit) {
    return migration.moves().from(unit.source()).stream()
        .filter(move -> move.destination().equals(unit.destination()))
        .findFirst()
        .orElseThrow();
  }

  /**
   * Arms every guard: open where the buckets are, closed where they are not yet; then tries as each
   * application role whether it can still write (HAZARDS F27), and gives destinations ids of their
   * own (F26). Repeatable.
   *
   * @throws RefusedException if a role could not write any more, or ids would meet
   */
  public void arm() throws SQLException {
    ShardMap map = migration.before();
    List<String> problems = new ArrayList<>();
    for (ShardId shard : migration.moves().shards()) {
      migration.control().registry().register(shard, Kind.GUARD, "guards", "");
      try (Connection connection = migration.sessions().open(shard, "arm")) {
        Guard.install(connection);
        for (Move move : touching(shard)) {
          arming.arm(connection, shard, unitOf(migration, move), map.epoch());
        }
        arming.armOutside(connection, shard, map);
        for (Move move : touching(shard)) {
          for (String problem :
              Probe.problems(connection, migration.keyspace(), unitOf(migration, move))) {
            problems.add(shard + ": " + problem);
          }
        }
      }
    }
    if (!problems.isEmpty()) {
      for (ShardId shard : migration.moves().shards()) {
        disarm(shard);
      }
      throw new RefusedException(
          "with our guards these roles could not write any more, so the guards were taken away again: "
              + String.join("; ", problems));
    }
    takeRanges();
  }

  /** Not before a unit that is under way has been recovered: that must wait for nothing else. */
  @Override
  public boolean runsIn(MigrationState state) {
    return state.replicates()
        && state != MigrationState.CUTTING_OVER
        && state != MigrationState.ROLLING_BACK;
  }

  /**
   * Arms again what somebody dropped or disabled, and partitions that are new. A shard that is away
   * is looked at later: replication of the others waits for nothing.
   */
  @Override
  public void start() throws SQLException {
    if (looked || System.nanoTime() - lookAgainNanos < 0) {
      return;
    }
    try {
      looked = true; // before, as what comes meanwhile asks for another look
      armAgain();
      trouble = Optional.empty();
    } catch (SQLException e) {
      looked = false;
      if (SqlState.isLeaseLost(e)) {
        throw e;
      }
      log.warn("{}: guards could not be looked at", migration.name(), e);
      trouble =
          Optional.of(
              "whether all guards are armed is not known: %s; it is looked at again"
                  .formatted(e.getMessage()));
      lookAgainNanos = System.nanoTime() + LOOK_AGAIN_NANOS;
    }
  }

  /**
   * Has the guards looked at again soon: tables are others than they were, and a guard tells their
   * rows column by column. By any thread.
   */
  public void lookAgain() {
    looked = false;
  }

  /** Arms what is missing, or tells rows by another key than the tables have now. Repeatable. */
  void armAgain() throws SQLException {
    ShardMap map = mapNow();
    for (ShardId shard : migration.moves().shards()) {
      try (Connection connection = migration.sessions().open(shard, "arm")) {
        for (Move move : touching(shard)) {
          if (!arming.missing(connection, shard, unitOf(migration, move)).isEmpty()) {
            arming.arm(connection, shard, unitOf(migration, move), map.epoch());
          }
        }
        arming.armOutside(connection, shard, map);
      }
    }
  }

  @Override
  public Optional<String> trouble() {
    return trouble;
  }

  /**
   * Open while every guard is there and fires for everybody: else the old owner would take writes.
   */
  public Gate gate() {
    return () -> {
      List<String> missing = new ArrayList<>();
      for (ShardId shard : migration.moves().shards()) {
        try (Connection connection = migration.sessions().open(shard, "gates")) {
          for (Move move : touching(shard)) {
            arming
                .missing(connection, shard, unitOf(migration, move))
                .forEach(what -> missing.add(shard + ": " + what));
          }
        }
      }
      return new Gate.Verdict(
          "guards",
          missing.isEmpty(),
          missing.isEmpty()
              ? "armed"
              : "dropped or disabled: "
                  + String.join(", ", missing)
                  + "; stop the worker and start it again: it arms them",
          "all armed");
    };
  }

  /**
   * What the shards say against where the control database has the units. It may have lost its last
   * commits, by a failover or a restore; a guard is asked before rows are deleted on its word.
   *
   * @return empty if they agree; a guard that is not there says nothing
   */
  public List<String> contradictions() throws SQLException {
    List<String> found = new ArrayList<>();
    for (StageUnit unit : migration.control().units()) {
      boolean moved = unit.place() == StageUnit.Place.AT_DESTINATION;
      if (!moved && unit.place() != StageUnit.Place.AT_SOURCE) {
        found.add("%s is on its way".formatted(unit));
        continue;
      }
      ShardId owner = moved ? unit.destination() : unit.source();
      ShardId other = moved ? unit.source() : unit.destination();
      String buckets = "the buckets of %s, which are %s's here".formatted(unit, owner);
      if (kind(owner, unit).filter(kind -> kind == GuardState.Kind.CLOSED).isPresent()) {
        found.add("shard %s takes no writes of %s".formatted(owner, buckets));
      }
      if (kind(other, unit).filter(kind -> kind != GuardState.Kind.CLOSED).isPresent()) {
        found.add("shard %s takes writes of %s".formatted(other, buckets));
      }
    }
    return found;
  }

  /** Empty if the unit is not armed there. */
  private Optional<GuardState.Kind> kind(ShardId shard, StageUnit unit) throws SQLException {
    try (Connection connection = migration.sessions().open(shard, "guards")) {
      return Guard.isInstalled(connection)
          ? new Guard(unitOf(migration, moveOf(migration, unit)), migration.worker())
              .state(connection)
              .map(GuardState::kind)
          : Optional.empty();
    }
  }

  private void takeRanges() throws SQLException {
    if (migration.spec().keepsSequences()) {
      return;
    }
    Map<String, Long> highest = new TreeMap<>();
    for (ShardId shard : migration.before().byShard().keySet()) {
      try (Connection connection = migration.sessions().open(shard, "ranges")) {
        highest = ranges.highest(connection, highest);
      }
    }
    for (ShardId shard : migration.moves().destinations()) {
      migration.control().registry().register(shard, Kind.SEQUENCE_RANGE, "ranges", "");
      int ordinal = migration.control().ordinal(migration.keyspace().name(), shard);
      try (Connection connection = migration.sessions().open(shard, "ranges")) {
        ranges.take(
            connection,
            ordinal,
            migration.moves().destinations().size(),
            highest,
            SMALLEST_INT_RANGE);
      }
    }
  }

  /**
   * Leaves a destination its own range of ids for good, also after a rollback: ids of it have been
   * given out by then, and must not be given out again.
   */
  public void settleRanges(ShardId shard) throws SQLException {
    try (Connection connection = migration.sessions().open(shard, "ranges")) {
      ranges.keep(connection);
    }
  }

  /** Gives a destination its sequences back as they were: the migration is cancelled. */
  public void giveBackRanges(ShardId shard) throws SQLException {
    try (Connection connection = migration.sessions().open(shard, "ranges")) {
      ranges.giveBack(connection);
    }
  }

  /** Takes away what {@link #disarm} leaves: a late writer can write to the old owner then. */
  public void dropFences(ShardId shard) throws SQLException {
    try (Connection connection = migration.sessions().open(shard, "disarm")) {
      arming.dropOutside(connection);
    }
  }

  /** Takes a shard's guards away; buckets that left it stay guarded. Repeatable. */
  public void disarm(ShardId shard) throws SQLException {
    ShardMap map = mapNow();
    try (Connection connection = migration.sessions().open(shard, "disarm")) {
      for (Move move : touching(shard)) {
        arming.disarm(connection, shard, unitOf(migration, move), map);
      }
    }
  }

  private ShardMap mapNow() throws SQLException {
    List<StageUnit> units = migration.control().units();
    List<Move> moved =
        units.stream()
            .filter(unit -> unit.place() == StageUnit.Place.AT_DESTINATION)
            .map(unit -> moveOf(migration, unit))
            .toList();
    long epoch = units.stream().mapToLong(Guards::told).max().orElse(0);
    return migration.before().with(moved, Math.max(epoch, migration.before().epoch()));
  }

  /**
   * The map's epoch when the unit's last attempt ended: one that was given up used none, and a
   * shard must tell nobody an epoch that is still to come.
   */
  private static long told(StageUnit unit) {
    return unit.place() == unit.after() ? unit.epoch() : unit.epoch() - 1;
  }

  private List<Move> touching(ShardId shard) {
    return migration.moves().all().stream()
        .filter(move -> move.source().equals(shard) || move.destination().equals(shard))
        .toList();
  }
}
