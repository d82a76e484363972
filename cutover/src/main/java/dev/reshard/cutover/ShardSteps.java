package dev.reshard.cutover;

import dev.reshard.apply.Lane;
import dev.reshard.apply.LaneProgress;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.guard.Guard;
import dev.reshard.guard.Writer;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Replication;
import dev.reshard.routing.ShardMapStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps on real shards. Its sessions are opened before the pause begins. Confined to one
 * thread.
 */
final class ShardSteps implements CutoverSteps, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ShardSteps.class);

  /** How long recovery waits for a lane to come to the token of a decided attempt. */
  private static final Duration RECOVERY_LIMIT = Duration.ofMinutes(1);

  private final Migration migration;
  private final Guard guard;
  private final Lane lane;
  private final Optional<Lane> referenceLane;
  private final Move handOver;
  private final Duration budget;
  private final boolean recovering;
  private final Connection owner;
  private final Connection receiver;
  private final Connection control;
  private final Optional<Connection> home;
  private final String token;
  private StageUnit unit;
  private long deadlineNanos;

  /**
   * Steps for one attempt.
   *
   * @param unit as it is stored, with the attempt's number and epoch
   * @param recovering whether a dead worker began the attempt
   */
  ShardSteps(Migration migration, Replication replication, StageUnit unit, boolean recovering)
      throws SQLException {
    this.migration = migration;
    this.unit = unit;
    this.recovering = recovering;
    Move move = Guards.moveOf(migration, unit);
    this.handOver = unit.direction() == StageUnit.Direction.FORWARD ? move : move.reversed();
    this.guard = new Guard(Guards.unitOf(migration, move), migration.worker());
    this.budget = migration.spec().budget().pause();
    this.lane = replication.lane(unit.owner(), unit.receiver());
    this.token = "%s %s %d".formatted(migration.worker().marker().secret(), unit, unit.attempt());
    boolean withReference =
        migration.hasReference()
            && migration.newShards().contains(unit.receiver())
            && !migration.home().equals(unit.owner());
    this.referenceLane =
        withReference
            ? Optional.of(replication.lane(migration.home(), unit.receiver()))
            : Optional.empty();
    this.owner = open(unit.owner());
    this.receiver = open(unit.receiver());
    this.control = open(migration.spec().control());
    this.home = withReference ? Optional.of(open(migration.home())) : Optional.empty();
  }

  private Connection open(ShardId shard) throws SQLException {
    return migration.sessions().open(shard, "cutover");
  }

  @Override
  public void fence() throws SQLException {
    deadlineNanos = System.nanoTime() + budget.toNanos();
    guard.fence(owner, unit.attempt(), budget);
  }

  @Override
  public boolean awaitWriters() throws SQLException {
    List<Writer> left = guard.waitForWriters(owner, remaining());
    if (!left.isEmpty()) {
      log.warn("{}: write transactions outlasted the budget: {}", unit, left);
    }
    return left.isEmpty();
  }

  @Override
  public void mark() throws SQLException {
    Guard.emitToken(owner, token);
    if (home.isPresent()) {
      Guard.emitToken(home.get(), token);
    }
  }

  @Override
  public boolean drain() throws InterruptedException {
    return lane.awaitToken(token, remaining())
        && (referenceLane.isEmpty() || referenceLane.get().awaitToken(token, remaining()));
  }

  /**
   * The lane that leads back to the owner may apply these buckets' changes from the moment of the
   * decision: before it, a change would be a violation.
   */
  @Override
  public boolean seal() throws SQLException {
    owner.setAutoCommit(false);
    try {
      LaneProgress.unmute(owner, migration.name(), unit.receiver(), handOver.buckets());
      boolean sealed = guard.seal(owner, unit.attempt(), unit.epoch());
      if (sealed) {
        owner.commit();
      } else {
        owner.rollback();
      }
      return sealed;
    } catch (SQLException e) {
      rollBack(owner, e);
      throw e;
    } finally {
      owner.setAutoCommit(true);
    }
  }

  @Override
  public void lift() throws SQLException {
    guard.claim(receiver, unit.attempt());
    if (!guard.lift(owner, unit.attempt())) {
      throw new IllegalStateException(unit + " was to be lifted, but its owner is sealed");
    }
    StageUnit back = unit.at(unit.before());
    migration.control().moveUnit(unit, back, migration.worker().lease());
    unit = back;
  }

  @Override
  public void open() throws SQLException, InterruptedException {
    if (recovering) {
      if (!lane.awaitToken(token, RECOVERY_LIMIT)) {
        throw new SQLException(
            "%s is decided, but its receiver has not applied the last writes yet".formatted(unit));
      }
      unmuteWayBack();
    }
    receiver.setAutoCommit(false);
    try {
      LaneProgress.mute(receiver, migration.name(), unit.owner(), handOver.buckets());
      guard.open(receiver, unit.attempt(), unit.epoch());
      receiver.commit();
    } catch (SQLException e) {
      rollBack(receiver, e);
      throw e;
    } finally {
      receiver.setAutoCommit(true);
    }
  }

  /** The seal outlives its transaction; what stood beside it in that transaction may not have. */
  private void unmuteWayBack() throws SQLException {
    LaneProgress.unmute(owner, migration.name(), unit.receiver(), handOver.buckets());
  }

  @Override
  public void record() throws SQLException {
    long lease = migration.worker().lease();
    if (unit.place() == Place.FENCED) {
      StageUnit decided = unit.at(Place.DECIDED);
      migration.control().moveUnit(unit, decided, lease);
      unit = decided;
    }
    String keyspace = migration.keyspace().name();
    ShardMap map = ShardMapStore.load(control, keyspace).orElseThrow().map();
    if (!handOver.buckets().minus(map.bucketsOf(handOver.destination())).isEmpty()) {
      ShardMapStore.move(control, keyspace, List.of(handOver), map.epoch());
    }
    StageUnit arrived = unit.at(unit.after());
    migration.control().moveUnit(unit, arrived, lease);
    unit = arrived;
  }

  /** Whether the owner is sealed by this unit's last attempt: the only truth after a crash. */
  boolean isSealed() throws SQLException {
    return !guard.lift(owner, unit.attempt());
  }

  private Duration remaining() {
    return Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
  }

  private static void rollBack(Connection connection, SQLException cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public void close() throws SQLException {
    owner.close();
    receiver.close();
    control.close();
    if (home.isPresent()) {
      home.get().close();
    }
  }
}
