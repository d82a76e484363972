package dev.reshard.migration;

import dev.reshard.apply.LaneProgress;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.MigrationState;
import dev.reshard.copy.CopyDestinations;
import dev.reshard.copy.CopyException;
import dev.reshard.copy.CopyOptions;
import dev.reshard.copy.CopyPlan;
import dev.reshard.copy.CopyResult;
import dev.reshard.copy.ShardCopier;
import dev.reshard.copy.Strays;
import dev.reshard.copy.TableCopy;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ReplicationSlots;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes every source's anchor and copies what moves under it. After a crash it begins again: a
 * snapshot dies with its process, so what was loaded under the old anchor is deleted first.
 */
public final class CopyPhase implements Phase {
  private static final Logger log = LoggerFactory.getLogger(CopyPhase.class);
  private static final long PAUSE_MS = 1_000;
  private static final Duration ANCHOR_LIMIT = Duration.ofMinutes(5);

  private final Migration migration;
  private final Replication replication;
  private final CopyReport report;
  private final BooleanSupplier stop;

  /**
   * The phase of COPYING.
   *
   * @param replication captures each source from its anchor on
   * @param stop looked at between chunks: whether to give up and let this phase be run again
   */
  public CopyPhase(
      Migration migration, Replication replication, CopyReport report, BooleanSupplier stop) {
    this.migration = migration;
    this.replication = replication;
    this.report = report;
    this.stop = stop;
  }

  @Override
  public MigrationState state() {
    return MigrationState.COPYING;
  }

  @Override
  public Outcome run() throws Exception {
    Set<ShardId> sources = migration.copied();
    ExecutorService threads = Executors.newFixedThreadPool(sources.size());
    try {
      List<Future<CopyResult>> copies = new ArrayList<>();
      for (ShardId source : sources) {
        copies.add(threads.submit(() -> copy(source)));
      }
      long rows = 0;
      for (Future<CopyResult> copy : copies) {
        CopyResult result;
        try {
          result = result(copy);
        } catch (CopyException e) {
          return again(e);
        }
        if (!result.complete()) {
          return new Outcome(MigrationState.COPYING, "stopped");
        }
        Outcome strays = refuseStrays(result);
        if (strays != null) {
          abandon(); // nobody copies any more, and no shard must keep its WAL
          return strays;
        }
        rows +=
            result.rows().values().stream()
                .flatMap(byShard -> byShard.values().stream())
                .mapToLong(Long::longValue)
                .sum();
      }
      makeSlotsOfWayBack();
      prepareWayBack();
      return new Outcome(MigrationState.CATCHING_UP, "%d rows copied".formatted(rows));
    } finally {
      threads.shutdownNow();
      awaitEnd(threads);
    }
  }

  /** The next copy must not meet one that is ending. */
  private static void awaitEnd(ExecutorService threads) throws InterruptedException {
    while (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
      log.warn("waiting for the end of a copy that was given up");
    }
  }

  /** What the next anchor mends; anything else needs a person. */
  private static Outcome again(CopyException e) throws InterruptedException {
    return switch (e.reason()) {
      case SNAPSHOT_GONE, CATALOG_CHANGED -> {
        log.warn("the copy begins again from a new anchor", e);
        Thread.sleep(PAUSE_MS); // whatever it was may be over then
        yield new Outcome(MigrationState.COPYING, e.getMessage());
      }
      case TABLES_DIFFER, DESTINATION_NOT_EMPTY, UNIQUE_CONFLICT, OTHER_ANCHOR, SERVER_FAILED ->
          throw e;
    };
  }

  /** Lets all shards' WAL go while nobody copies: another copy begins at a new anchor. */
  void abandon() throws SQLException {
    for (ShardId shard : migration.captured()) {
      replication.stopCapture(shard);
      try (Connection connection = migration.sessions().open(shard, "copy")) {
        ReplicationSlots.drop(connection, migration.slot(shard));
      }
    }
  }

  private CopyResult copy(ShardId source) throws SQLException, InterruptedException {
    CopyPlan plan;
    replication.stopCapture(source);
    try (Connection connection = migration.sessions().open(source, "copy")) {
      ReplicationSlots.drop(connection, migration.slot(source));
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
    migration
        .control()
        .registry()
        .register(source, Kind.REPLICATION_SLOT, migration.slot(source), "");
    CopyDestinations destinations = new CopyDestinations(migration.sessions(), migration.worker());
    destinations.prepare(plan);
    try (AnchorHolder anchor =
        AnchorHolder.take(
            migration.sessions(),
            source,
            migration.slot(source),
            ReplicationSlots.Kind.PERMANENT,
            ANCHOR_LIMIT)) {
      replication.startCapture(source);
      CopyOptions options =
          new CopyOptions(migration.spec().copy().workers(), CopyOptions.DEFAULT.chunkBlocks());
      CopyResult result =
          new ShardCopier(migration.sessions(), migration.worker(), options, report, stop)
              .copy(plan, anchor);
      if (result.complete()) {
        for (ShardId destination : migration.fedBy(source)) {
          startLaneAt(source, destination, anchor);
          analyze(destination, plan);
        }
      }
      return result;
    }
  }

  /** Where an earlier copy left the lane does not count: its rows are gone. */
  private void startLaneAt(ShardId source, ShardId destination, AnchorHolder anchor)
      throws SQLException {
    try (Connection connection = migration.sessions().open(destination, "lane")) {
      LaneProgress.install(connection);
      LaneProgress.forget(connection, migration.name(), source);
      LaneProgress.create(connection, migration.name(), source, anchor.anchor().position());
    }
  }

  /**
   * A shard that only receives is captured from here on. Not earlier, for it would have to keep the
   * WAL of all that is loaded; nor later, for it may own the buckets soon. Its guard is closed
   * since before the load, so that no application's write of a moving bucket is missed.
   */
  private void makeSlotsOfWayBack() throws SQLException {
    Set<ShardId> receivers = new TreeSet<>(migration.captured());
    receivers.removeAll(migration.copied());
    for (ShardId shard : receivers) {
      String slot = migration.slot(shard);
      migration.control().registry().register(shard, Kind.REPLICATION_SLOT, slot, "");
      try (Connection connection = migration.sessions().open(shard, "copy");
          Connection stream = migration.sessions().openReplication(shard, "copy")) {
        ReplicationSlots.drop(connection, slot);
        ReplicationSlots.create(stream, shard, slot, ReplicationSlots.Kind.PERMANENT);
      }
    }
  }

  /**
   * The lanes of the way back begin where their shard's slot does. Until a unit has moved, any
   * change they meet of its buckets is a violation: the destination is closed.
   */
  private void prepareWayBack() throws SQLException {
    for (Move move : migration.moves().all()) {
      Lsn start;
      try (Connection connection = migration.sessions().open(move.destination(), "lane")) {
        start =
            ReplicationSlots.find(connection, migration.slot(move.destination()))
                .orElseThrow()
                .confirmed();
      }
      try (Connection connection = migration.sessions().open(move.source(), "lane")) {
        LaneProgress.install(connection);
        if (!migration.fedBy(move.destination()).contains(move.source())) {
          LaneProgress.forget(connection, migration.name(), move.destination());
          LaneProgress.create(connection, migration.name(), move.destination(), start);
        } // else it is a lane forth, too, and begins at that shard's anchor
        LaneProgress.mute(connection, migration.name(), move.destination(), move.buckets());
      }
    }
  }

  /** Else the first changes would be applied by plans for empty tables. */
  private void analyze(ShardId destination, CopyPlan plan) throws SQLException {
    try (Connection connection = migration.sessions().open(destination, "analyze");
        var statement = connection.createStatement()) {
      statement.execute(
          plan.tables().stream()
              .map(table -> table.table().id().quoted())
              .collect(Collectors.joining(", ", "ANALYZE ", "")));
    }
  }

  private static Outcome refuseStrays(CopyResult result) {
    if (result.strays().isEmpty()) {
      return null;
    }
    List<String> found = new ArrayList<>();
    for (Map.Entry<TableId, Strays> entry : result.strays().entrySet()) {
      found.add(
          "%d rows of %s, e.g. %s"
              .formatted(entry.getValue().rows(), entry.getKey(), entry.getValue().keys()));
    }
    return new Outcome(
        MigrationState.FAILED,
        "shard %s holds rows that the map does not give it: %s. The map or the function is not your application's; correct the file, then begin a new migration"
            .formatted(result.source(), found));
  }

  private static CopyResult result(Future<CopyResult> copy) throws Exception {
    try {
      return copy.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
