package dev.reshard.cutover;

import dev.reshard.apply.Lane;
import dev.reshard.apply.LaneException;
import dev.reshard.apply.LaneProgress;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.guard.Guard;
import dev.reshard.guard.GuardState;
import dev.reshard.guard.Writer;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Replication;
import dev.reshard.postgres.ShardConnections;
import dev.reshard.postgres.SqlState;
import dev.reshard.routing.ShardMapStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
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

  private static final String WITHOUT_LAST_WRITES =
      "%s: shard %s came back without the last writes, as after a failover to a standby that was behind; it is not opened before its lane has applied them again";

  /** Each statement ends within the budget; for so long after that its answer may be on its way. */
  private static final Duration ANSWER = Duration.ofSeconds(10);

  private final Migration migration;
  private final Guard guard;
  private final Lane lane;
  private final Optional<Lane> referenceLane;
  private final Move handOver;
  private final Duration budget;
  private final Map<ShardId, String> tables;
  private final boolean recovering;
  private final ShardConnections sessions;
  private final List<String> notes = new ArrayList<>();
  private final String token;
  private StageUnit unit;
  private long deadlineNanos;
  private boolean awaitsToken;

  /**
   * Steps for one attempt.
   *
   * @param unit as it is stored, with the attempt's number and epoch
   * @param tables what {@link Guard#tables} said on each shard when the gates were looked at
   */
  static ShardSteps attempt(
      Migration migration, Replication replication, StageUnit unit, Map<ShardId, String> tables)
      throws SQLException {
    return new ShardSteps(migration, replication, unit, tables, false);
  }

  /** Steps for an attempt that a dead worker began. */
  static ShardSteps recovery(Migration migration, Replication replication, StageUnit unit)
      throws SQLException {
    return new ShardSteps(migration, replication, unit, Map.of(), true);
  }

  private ShardSteps(
      Migration migration,
      Replication replication,
      StageUnit unit,
      Map<ShardId, String> tables,
      boolean recovering)
      throws SQLException {
    this.migration = migration;
    this.sessions =
        new ShardConnections(
            migration.sessions(), "cutover", migration.spec().budget().pause().plus(ANSWER));
    this.unit = unit;
    this.tables = tables;
    this.recovering = recovering;
    this.awaitsToken = recovering;
    Move move = Guards.moveOf(migration, unit);
    this.handOver = unit.direction() == StageUnit.Direction.FORWARD ? move : move.reversed();
    this.guard = new Guard(Guards.unitOf(migration, move), migration.worker());
    this.budget = migration.spec().budget().pause();
    this.lane = replication.lane(unit.owner(), unit.receiver());
    this.token = migration.worker().marker().token("%s %d".formatted(unit, unit.attempt()));
    Optional<ShardId> feeder = migration.otherFeeder(unit.owner(), unit.receiver());
    this.referenceLane = feeder.map(home -> replication.lane(home, unit.receiver()));
    try {
      guard.warmUp(on(unit.owner()));
      guard.warmUp(on(unit.receiver()));
      if (feeder.isPresent()) {
        on(feeder.get());
      }
      if (!recovering) {
        digest(); // so that it is fast under the fence
      }
    } catch (SQLException | RuntimeException e) {
      sessions.close();
      throw e;
    }
    startClock();
  }

  private Connection on(ShardId shard) throws SQLException {
    return sessions.on(shard);
  }

  private void startClock() {
    deadlineNanos = System.nanoTime() + budget.toNanos();
  }

  /** What an operator should know of the attempt, beside how it ended. */
  List<String> notes() {
    return List.copyOf(notes);
  }

  /**
   * Does what of the pause depends on load, without a fence: waits for the writers of this moment,
   * and sends a token through capture, Kafka and lanes. Changes nothing.
   *
   * @return how long it took; longer than {@code limit} if it did not end in time, and then {@link
   *     #notes} say why
   */
  Duration tryWithoutFence(Duration limit) throws SQLException, InterruptedException {
    startClock();
    long begin = System.nanoTime();
    Duration tooLong = limit.plusNanos(1);
    List<Writer> left = guard.waitForWriters(on(unit.owner()), remaining());
    if (!left.isEmpty()) {
      notes.add("writers that do not end: " + left);
      return tooLong;
    }
    String trial = migration.worker().marker().token("tried at " + System.nanoTime());
    mark(trial);
    try {
      if (!isDrained(trial, this::remaining)) {
        notes.add("what was written last is not applied within the budget");
        return tooLong;
      }
      digest();
      holdPartitions();
      endTransaction(on(unit.owner()));
      Duration took = Duration.ofNanos(System.nanoTime() - begin);
      if (took.compareTo(limit) > 0) {
        notes.add("the comparison of the tables does not end within the budget");
      }
      return took;
    } catch (LaneException e) {
      notes.add(e.getMessage());
    } catch (SQLException e) {
      if (!SqlState.isLockTimeout(e)) {
        throw e;
      }
      notes.add(e.getMessage());
    }
    return tooLong;
  }

  @Override
  public void fence() throws SQLException {
    startClock();
    guard.fence(on(unit.owner()), unit.attempt(), budget);
  }

  @Override
  public boolean awaitWriters() throws SQLException {
    List<Writer> left = guard.waitForWriters(on(unit.owner()), remaining());
    if (!left.isEmpty()) {
      log.warn("{}: write transactions outlasted the budget: {}", unit, left);
    }
    return left.isEmpty();
  }

  @Override
  public void mark() throws SQLException {
    mark(token);
  }

  private void mark(String text) throws SQLException {
    Guard.emitToken(on(unit.owner()), text);
    if (referenceLane.isPresent()) {
      Guard.emitToken(on(migration.home()), text);
    }
  }

  @Override
  public boolean drain() throws SQLException, InterruptedException {
    if (!isDrained(token, this::remaining) || !muteInTime()) {
      return false;
    }
    requireSameTables(unit.receiver());
    holdPartitions();
    requireSameTables(unit.owner());
    return true;
  }

  /** In a transaction of the owner that {@link #seal} commits, so that nothing comes in between. */
  private void holdPartitions() throws SQLException {
    Connection owner = on(unit.owner());
    owner.setAutoCommit(false);
    try {
      guard.holdPartitions(owner, remaining());
    } catch (SQLException e) {
      abandon(owner, e);
      if (SqlState.isLockTimeout(e)) {
        throw new SQLException(
            "on shard %s somebody attaches, detaches or analyzes a partitioned table; try again when that has ended"
                .formatted(unit.owner()),
            SqlState.of(e),
            e);
      }
      throw e;
    }
  }

  /**
   * What changes rows or columns without a message of its own is not on the other side (HAZARDS
   * F6).
   */
  private void requireSameTables(ShardId shard) throws SQLException {
    if (!guard.tables(on(shard)).equals(tables.get(shard))) {
      throw new SQLException(
          "on shard %s a table was altered, written anew, attached or detached after the gates were looked at; ask again, and 'reshard status' tells what it was if that matters"
              .formatted(shard));
    }
  }

  private void digest() throws SQLException {
    guard.tables(on(unit.owner()));
    guard.tables(on(unit.receiver()));
  }

  private boolean isDrained(String text, Supplier<Duration> limit) throws InterruptedException {
    return lane.awaitToken(text, limit.get())
        && (referenceLane.isEmpty() || referenceLane.get().awaitToken(text, limit.get()));
  }

  /**
   * Mutes the lane that fed the receiver, in a transaction that {@link #open} commits. Before the
   * decision, because it waits for the lane's batch in flight, which may be a large one of other
   * tables: after the decision nothing may take longer than the budget.
   */
  private boolean muteInTime() throws SQLException {
    Connection receiver = on(unit.receiver());
    receiver.setAutoCommit(false);
    try (Statement statement = receiver.createStatement()) {
      statement.execute("SET LOCAL lock_timeout = " + Math.max(1, remaining().toMillis()));
      mute(receiver);
      if (!hasLastWrites(receiver)) {
        receiver.rollback();
        receiver.setAutoCommit(true);
        notes.add(WITHOUT_LAST_WRITES.formatted(unit, unit.receiver()));
        return false;
      }
      return true;
    } catch (SQLException e) {
      abandon(receiver, e);
      if (SqlState.mayPass(e)) {
        log.warn("{}: the lane is busy", unit, e);
        return false;
      }
      throw e;
    }
  }

  private void mute(Connection receiver) throws SQLException {
    LaneProgress.mute(receiver, migration.name(), unit.owner(), handOver.buckets());
  }

  /**
   * Whether the database that is about to be opened is one that has what the lane said is there:
   * after a failover to a standby that was behind it may not be (HAZARDS F18).
   */
  private boolean hasLastWrites(Connection receiver) throws SQLException {
    return isApplied(receiver, unit.owner())
        && (referenceLane.isEmpty() || isApplied(receiver, migration.home()));
  }

  private boolean isApplied(Connection receiver, ShardId source) throws SQLException {
    return LaneProgress.find(receiver, migration.name(), source)
        .flatMap(LaneProgress.Stored::lastToken)
        .filter(token::equals)
        .isPresent();
  }

  /**
   * The lane that leads back to the owner may apply these buckets' changes from the moment of the
   * decision: before it, a change would be a violation.
   */
  @Override
  public boolean seal() throws SQLException {
    Connection session = on(unit.owner());
    if (session.getAutoCommit()) {
      throw new SQLException(
          "the session that kept the tables of %s still is gone".formatted(unit));
    }
    return inTransaction(
        session,
        owner -> {
          unmuteWayBack(owner);
          return guard.seal(owner, unit.attempt(), unit.epoch());
        });
  }

  @Override
  public void lift() throws SQLException {
    endTransaction(on(unit.owner())); // first, as others may wait for its locks
    endTransaction(on(unit.receiver())); // the lane was muted for nothing
    guard.claim(on(unit.receiver()), unit.attempt());
    if (!guard.lift(on(unit.owner()), unit.attempt())) {
      throw new IllegalStateException(unit + " was to be lifted, but its owner is sealed");
    }
    StageUnit back = unit.at(unit.before());
    migration.control().moveUnit(unit, back, migration.worker().lease());
    unit = back;
  }

  @Override
  public void open() throws SQLException, InterruptedException {
    if (awaitsToken && !isDrained(token, () -> RECOVERY_LIMIT)) {
      throw new SQLException(
          "%s is decided, but its receiver has not applied the last writes yet".formatted(unit));
    }
    if (recovering) {
      unmuteWayBack(on(unit.owner()));
    }
    awaitStandbys(unit.owner(), "the decision");
    awaitStandbys(unit.receiver(), "the last writes");
    Connection session = on(unit.receiver());
    boolean isMuted = !session.getAutoCommit(); // if the session is still the one of drain()
    boolean opened =
        inTransaction(
            session,
            receiver -> {
              if (!isMuted) {
                mute(receiver);
                if (!hasLastWrites(receiver)) {
                  return false;
                }
              }
              guard.open(receiver, unit.attempt(), unit.epoch());
              return true;
            });
    if (!opened) {
      awaitsToken = true;
      throw new SQLException(WITHOUT_LAST_WRITES.formatted(unit, unit.receiver()));
    }
  }

  /** Bounded by the budget: the pause must not last as long as a standby is behind. */
  private void awaitStandbys(ShardId shard, String what) throws SQLException {
    List<String> behind = Guard.awaitStandbys(on(shard), remaining());
    if (!behind.isEmpty()) {
      String note =
          "%s: standbys %s of %s had not flushed %s within the budget; do not fail over to one of them before it has caught up"
              .formatted(unit, behind, shard, what);
      log.warn(note);
      notes.add(note);
    }
  }

  /**
   * The lane that leads back to the owner may apply these buckets' changes from the moment of the
   * decision: before it, a change would be a violation. The seal outlives its transaction; this may
   * not have, so recovery does it again.
   */
  private void unmuteWayBack(Connection owner) throws SQLException {
    LaneProgress.unmute(owner, migration.name(), unit.receiver(), handOver.buckets());
  }

  /** The map's new owner and the unit's place, in one transaction of the control database. */
  @Override
  public void record() throws SQLException {
    StageUnit arrived = unit.at(unit.after());
    String keyspace = migration.keyspace().name();
    migration
        .control()
        .moveUnit(
            unit,
            arrived,
            migration.worker().lease(),
            control -> {
              ShardMap map = ShardMapStore.load(control, keyspace).orElseThrow().map();
              if (!handOver.buckets().minus(map.bucketsOf(handOver.destination())).isEmpty()) {
                ShardMapStore.move(control, keyspace, List.of(handOver), map.epoch());
              }
            });
    unit = arrived;
  }

  /**
   * The receiver is only ever opened after the owner was sealed. If it is open and the owner is
   * not, the owner has lost its seal: to lift it would be to let two shards take writes for good.
   */
  void refuseTwoOwners() throws SQLException {
    boolean isOpen = is(unit.receiver(), GuardState.Kind.OPEN);
    if (isOpen && !is(unit.owner(), GuardState.Kind.CLOSED)) {
      throw new SQLException(
          "%s: shard %s takes writes of its buckets, and shard %s came back without the decision, as after a failover to a standby that was behind, and may take them too. Keep the application from %s, and bring it back with the decision; what it took since is on no other shard"
              .formatted(unit, unit.receiver(), unit.owner(), unit.owner()));
    }
  }

  private boolean is(ShardId shard, GuardState.Kind kind) throws SQLException {
    return guard.state(on(shard)).filter(state -> state.kind() == kind).isPresent();
  }

  /** Whether the owner is sealed by this unit's last attempt: the only truth after a crash. */
  boolean isSealed() throws SQLException {
    return !guard.lift(on(unit.owner()), unit.attempt());
  }

  /** Makes what recovery found on the owner known, before it goes forward however long it takes. */
  void decided() throws SQLException {
    if (unit.place() == Place.FENCED) {
      StageUnit decided = unit.at(Place.DECIDED);
      migration.control().moveUnit(unit, decided, migration.worker().lease());
      unit = decided;
    }
  }

  private Duration remaining() {
    return Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
  }

  private interface Work {
    /**
     * @return false: it is not to be committed
     */
    boolean on(Connection connection) throws SQLException;
  }

  private static boolean inTransaction(Connection connection, Work work) throws SQLException {
    connection.setAutoCommit(false);
    try {
      boolean done = work.on(connection);
      if (done) {
        connection.commit();
      } else {
        connection.rollback();
      }
      connection.setAutoCommit(true);
      return done;
    } catch (SQLException | RuntimeException e) {
      abandon(connection, e);
      throw e;
    }
  }

  /** Gives up what the session's transaction did, if it has one; also if the server ended it. */
  private static void endTransaction(Connection connection) throws SQLException {
    if (!connection.getAutoCommit()) {
      abandon(connection, new SQLException("given up"));
    }
  }

  /** A session that cannot even roll back is closed: the next call opens another. */
  private static void abandon(Connection connection, Exception cause) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      cause.addSuppressed(e);
      try {
        connection.close();
      } catch (SQLException closing) {
        cause.addSuppressed(closing);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    sessions.close();
  }
}
