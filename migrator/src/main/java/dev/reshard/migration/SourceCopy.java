package dev.reshard.migration;

import dev.reshard.apply.Lane;
import dev.reshard.apply.LaneException;
import dev.reshard.apply.LanePosition;
import dev.reshard.apply.LaneProgress;
import dev.reshard.apply.LaneStatus;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.copy.CopyDestinations;
import dev.reshard.copy.CopyDestinations.Unfinished;
import dev.reshard.copy.CopyOptions;
import dev.reshard.copy.CopyPlan;
import dev.reshard.copy.CopyResult;
import dev.reshard.copy.ShardCopier;
import dev.reshard.copy.TableCopy;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.CopyWriter.Batches;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.OwnTransaction.Durability;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.spec.Spec;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies one source in rounds, each under a snapshot of its own: a snapshot must not be held for
 * days, for it keeps vacuum back, and it dies with its process.
 *
 * <pre>
 * first round: slot and snapshot, the anchor --copy chunks--> all there, or the round ends
 * next round:  lanes apply what has changed, then are held --next anchor--> lanes to that anchor,
 *              exactly --copy the other chunks; rows that came with the stream are skipped-->
 * </pre>
 *
 * After a round's anchor was reached, and after each chunk, what a destination has of the source is
 * the source's state at that anchor. Thread-safe.
 */
final class SourceCopy {
  private static final Logger log = LoggerFactory.getLogger(SourceCopy.class);
  private static final Duration ANCHOR_LIMIT = Duration.ofMinutes(5);

  /** A snapshot is not to be spent on catching up (HAZARDS F20). */
  private static final Duration NEAR = Duration.ofSeconds(5);

  /** The lanes are near, and a heartbeat comes every second. */
  private static final Duration HOLD_LIMIT = Duration.ofMinutes(2);

  private static final long LOOK_MS = 50;

  /** Pages of 8 KiB. */
  private static final double BLOCKS_PER_MB = 128;

  /** What no other try of a lane mends: what is there cannot be built upon. */
  private static final Set<LaneException.Problem> BEGINS_ANEW =
      EnumSet.of(
          LaneException.Problem.GAP,
          LaneException.Problem.OTHER_SERVER,
          LaneException.Problem.ROW_NOT_FOUND,
          LaneException.Problem.CONFLICT,
          LaneException.Problem.INCONSISTENT);

  private final Migration migration;
  private final Replication replication;
  private final CopyReport report;
  private final Throttles throttle;
  private final BooleanSupplier stop;
  private final Consumer<String> pause;
  private final int chunkBlocks;

  /**
   * @param stop looked at between chunks
   * @param pause pauses the migration, for the reason that it is given
   * @param chunkBlocks pages of 8 KiB
   */
  SourceCopy(
      Migration migration,
      Replication replication,
      CopyReport report,
      Throttles throttle,
      BooleanSupplier stop,
      Consumer<String> pause,
      int chunkBlocks) {
    this.migration = migration;
    this.replication = replication;
    this.report = report;
    this.throttle = throttle;
    this.stop = stop;
    this.pause = pause;
    this.chunkBlocks = chunkBlocks;
  }

  /**
   * One round; the first one if there was none, or if what it left cannot be used.
   *
   * @return not complete if it was stopped, or its time was over
   */
  CopyResult round(ShardId source) throws SQLException, InterruptedException {
    CopyPlan plan;
    CopyOptions options;
    boolean first;
    try (Connection connection = migration.sessions().open(source, "copy")) {
      first = !canGoOn(source, connection);
      options = options(connection);
      plan =
          CopyPlan.read(
              connection,
              source,
              migration.keyspace(),
              migration.before(),
              migration.moves(),
              migration.references(source));
      CatalogWatch.remember(
          migration, source, plan.tables().stream().map(TableCopy::table).toList());
    }
    CopyDestinations destinations = new CopyDestinations(migration.sessions(), migration.worker());
    try (AnchorHolder anchor =
        first
            ? firstAnchor(plan, destinations)
            : nextAnchor(plan, destinations.again(plan, chunkBlocks))) {
      return anchor == null ? stopped(source) : copy(plan, anchor, options);
    }
  }

  private static CopyResult stopped(ShardId source) {
    return new CopyResult(source, Lsn.ZERO, false, Map.of(), Map.of(), Optional.empty());
  }

  /** Whether a round of one of them goes on from what there is. */
  boolean hasBegun(Set<ShardId> sources) throws SQLException {
    for (ShardId source : sources) {
      try (Connection connection = migration.sessions().open(source, "copy")) {
        if (canGoOn(source, connection)) {
          return true;
        }
      }
    }
    return false;
  }

  /** The stream since the last anchor must be whole, and every lane know where it is. */
  private boolean canGoOn(ShardId source, Connection connection) throws SQLException {
    Optional<ReplicationSlots.Slot> slot =
        ReplicationSlots.find(connection, migration.slot(source));
    if (slot.isEmpty() || slot.get().lost()) {
      return false;
    }
    for (ShardId destination : migration.fedBy(source)) {
      try (Connection there = migration.sessions().open(destination, "lane")) {
        LaneProgress.install(there);
        if (LaneProgress.find(there, migration.name(), source).isEmpty()) {
          return false;
        }
      }
    }
    return true;
  }

  /** Where an earlier copy left the lanes does not count: its rows are deleted. */
  private AnchorHolder firstAnchor(CopyPlan plan, CopyDestinations destinations)
      throws SQLException, InterruptedException {
    ShardId source = plan.source();
    forgetLanes(source);
    replication.stopCapture(source);
    try (Connection connection = migration.sessions().open(source, "copy")) {
      ReplicationSlots.drop(connection, migration.slot(source));
    }
    migration
        .control()
        .registry()
        .register(source, Kind.REPLICATION_SLOT, migration.slot(source), "");
    long before = migration.control().nextIncarnation();
    destinations.prepare(plan);
    AnchorHolder anchor = anchor(source, migration.slot(source), ReplicationSlots.Kind.PERMANENT);
    try {
      replication.startCapture(source);
      for (ShardId destination : migration.fedBy(source)) {
        try (Connection connection = migration.sessions().open(destination, "lane");
            OwnTransaction own =
                OwnTransaction.begin(connection, migration.worker(), Durability.SYNCHRONOUS)) {
          LanePosition start = LanePosition.startingAfter(anchor.anchor(), before);
          LaneProgress.create(connection, migration.name(), source, start);
          own.commit();
        }
      }
      return anchor;
    } catch (SQLException | RuntimeException e) {
      anchor.close();
      throw e;
    }
  }

  /** From here on the next round is a first one. */
  private void forgetLanes(ShardId source) throws SQLException {
    for (ShardId destination : migration.fedBy(source)) {
      try (Connection connection = migration.sessions().open(destination, "lane")) {
        LaneProgress.install(connection);
        try (OwnTransaction own =
            OwnTransaction.begin(connection, migration.worker(), Durability.SYNCHRONOUS)) {
          LaneProgress.forget(connection, migration.name(), source);
          own.commit();
        }
      }
    }
  }

  /**
   * Brings every destination to a new anchor, exactly.
   *
   * @return null if it was stopped before
   */
  private AnchorHolder nextAnchor(CopyPlan plan, Map<ShardId, Unfinished> unfinished)
      throws SQLException, InterruptedException {
    ShardId source = plan.source();
    replication.startCapture(source);
    List<Lane> lanes = new ArrayList<>();
    try {
      for (ShardId destination : migration.fedBy(source)) {
        Unfinished of = unfinished.get(destination);
        Lane lane =
            replication.newLane(
                replication.config(source, destination).lacking(of.absent(), of.partial()), null);
        lanes.add(lane);
        lane.start();
      }
      if (!awaitNear(source, lanes)) {
        return null;
      }
      for (Lane lane : lanes) {
        lane.hold();
      }
      AnchorHolder anchor =
          anchor(source, migration.slot(source) + "_r", ReplicationSlots.Kind.TEMPORARY);
      try {
        runTo(lanes, anchor);
        return anchor;
      } catch (SQLException | InterruptedException | RuntimeException e) {
        anchor.close();
        throw e;
      }
    } catch (LaneException e) {
      if (BEGINS_ANEW.contains(e.problem())) {
        log.warn("{}: the copy begins from nothing", source, e);
        forgetLanes(source);
      }
      throw e;
    } finally {
      report.waits(source, Optional.empty());
      lanes.forEach(Lane::close);
    }
  }

  /**
   * Waits until the lanes have applied what there was a moment ago; no clock but ours counts.
   *
   * @return false if it was stopped before
   */
  private boolean awaitNear(ShardId source, List<Lane> lanes)
      throws SQLException, InterruptedException {
    while (!stop.getAsBoolean()) {
      Lsn target = written(source);
      long begin = System.nanoTime();
      while (!stop.getAsBoolean() && !haveApplied(source, target, lanes)) {
        Thread.sleep(LOOK_MS); // the next look at the lanes
      }
      if (System.nanoTime() - begin < NEAR.toNanos()) {
        return !stop.getAsBoolean();
      }
    }
    return false;
  }

  private Lsn written(ShardId source) throws SQLException {
    try (Connection connection = migration.sessions().open(source, "copy");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn()")) {
      row.next();
      return Lsn.parse(row.getString(1));
    }
  }

  /** A heartbeat every second brings a lane past any position. */
  private boolean haveApplied(ShardId source, Lsn target, List<Lane> lanes)
      throws InterruptedException {
    boolean all = true;
    Optional<String> why = Optional.empty();
    for (Lane lane : lanes) {
      LaneStatus status = lane.status();
      if (status.isStopped()) {
        lane.hold(); // says why it has stopped
      }
      all &= lane.applied().compareTo(target) >= 0;
      String name = lane.config().name();
      why = why.or(() -> status.reason().map(text -> "lane %s: %s".formatted(name, text)));
    }
    report.waits(source, why);
    return all;
  }

  private void runTo(List<Lane> lanes, AnchorHolder anchor)
      throws SQLException, InterruptedException {
    for (Lane lane : lanes) {
      if (!lane.applyTo(anchor.anchor().position(), HOLD_LIMIT)) {
        throw new SQLTimeoutException(
            "lane %s did not come to %s within %s; the next round tries it again"
                .formatted(lane.config().name(), anchor.anchor().position(), HOLD_LIMIT));
      }
    }
    for (Lane lane : lanes) {
      requireDurable(lane);
    }
  }

  /** Its last commits were asynchronous: a destination that crashed since has lost them. */
  private void requireDurable(Lane lane) throws SQLException {
    try (Connection connection = migration.sessions().open(lane.config().destination(), "lane")) {
      try (OwnTransaction flush =
          OwnTransaction.begin(connection, migration.worker(), Durability.SYNCHRONOUS)) {
        flush.commit();
      }
      Optional<Lsn> stored =
          LaneProgress.find(connection, migration.name(), lane.config().source())
              .map(there -> there.position().applied());
      if (!stored.equals(Optional.of(lane.applied()))) {
        throw new SQLException(
            "shard %s has lost what lane %s applied last; the next round begins where it is"
                .formatted(lane.config().destination(), lane.config().name()));
      }
    }
  }

  private AnchorHolder anchor(ShardId source, String slot, ReplicationSlots.Kind kind)
      throws SQLException, InterruptedException {
    return AnchorHolder.take(migration.sessions(), source, slot, kind, ANCHOR_LIMIT);
  }

  /**
   * SQL cannot ask a server for its cores. {@code max_parallel_workers} is the nearest: the manual
   * has it follow them, and an untuned server says 8.
   */
  private CopyOptions options(Connection source) throws SQLException {
    Spec.Copy file = migration.spec().copy();
    try (Statement statement = source.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT current_setting('max_parallel_workers')::int")) {
      row.next();
      return new CopyOptions(
          file.workersOn(row.getInt(1)),
          chunkBlocks,
          new Batches(file.batchBytes(), file.prefetch()),
          migration.spec().budget().maxRowBytes(),
          file.first(),
          file.timeout());
    }
  }

  private CopyResult copy(CopyPlan plan, AnchorHolder anchor, CopyOptions options)
      throws SQLException, InterruptedException {
    long end = System.nanoTime() + migration.spec().copy().snapshot().toNanos();
    BooleanSupplier late = () -> System.nanoTime() - end > 0;
    BooleanSupplier over = () -> stop.getAsBoolean() || late.getAsBoolean();
    CopyResult result =
        new ShardCopier(
                migration.sessions(),
                migration.worker(),
                options,
                report,
                throttle.of(plan.source()),
                over)
            .copy(plan, anchor);
    if (!result.complete() && late.getAsBoolean() && !stop.getAsBoolean()) {
      result.inVain().ifPresent(table -> pause.accept(tooLong(plan.source(), table)));
    }
    return result;
  }

  /**
   * A longer snapshot is the operator's to allow: it keeps vacuum back on the source. Another round
   * as long as this one would copy the same in vain, again and again.
   */
  private String tooLong(ShardId source, CopyResult.Begun table) {
    Duration limit = migration.spec().copy().snapshot();
    double perSecond = (double) table.blocks() / Math.max(1, limit.toSeconds());
    return ("Table %s on shard %s cannot be copied within one snapshot: it has no key, so that its"
            + " copy cannot go on from another one. In %d s (copy.snapshot) %.1f MB of %.1f MB"
            + " were copied, %.2f MB/s; at that pace it takes %d s. It begins again; all other tables"
            + " keep what they have. Raise copy.snapshot in the file above that, or let the copy"
            + " run faster (throttle, copy.workers), and start the worker anew; or, on every shard,"
            + " give the table a primary key that contains the shard key, and ALTER TABLE %s"
            + " REPLICA IDENTITY DEFAULT. Then 'reshard resume'")
        .formatted(
            table.table(),
            source,
            limit.toSeconds(),
            table.blocks() / BLOCKS_PER_MB,
            table.totalBlocks() / BLOCKS_PER_MB,
            perSecond / BLOCKS_PER_MB,
            (long) Math.ceil(table.totalBlocks() / perSecond),
            table.table().quoted());
  }
}
