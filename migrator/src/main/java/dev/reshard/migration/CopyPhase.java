package dev.reshard.migration;

import dev.reshard.apply.LanePosition;
import dev.reshard.apply.LaneProgress;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.MigrationState;
import dev.reshard.copy.CopyException;
import dev.reshard.copy.CopyOptions;
import dev.reshard.copy.CopyResult;
import dev.reshard.copy.Strays;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Anchor;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.ReplicationSlots;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Copies what moves, from all sources at once, in rounds: {@link SourceCopy}. */
public final class CopyPhase implements Phase {
  private static final Logger log = LoggerFactory.getLogger(CopyPhase.class);
  private static final long PAUSE_MS = 1_000;
  private static final Duration SLOT_LIMIT = Duration.ofMinutes(5);

  private final Migration migration;
  private final Guards guards;
  private final Replication replication;
  private final Consumer<String> pause;
  private final SourceCopy copy;
  private final Duration slotLimit;

  /**
   * The phase of COPYING.
   *
   * @param guards armed again where row keys were made, or are others now
   * @param replication captures each source from its first anchor on
   * @param stop looked at between chunks: whether to end the round and let this phase be run again
   * @param pause pauses the migration, for the reason that it is given
   */
  public CopyPhase(
      Migration migration,
      Guards guards,
      Replication replication,
      CopyReport report,
      Throttles throttle,
      BooleanSupplier stop,
      Consumer<String> pause) {
    this(
        migration,
        guards,
        replication,
        report,
        throttle,
        stop,
        pause,
        CopyOptions.DEFAULT.chunkBlocks(),
        SLOT_LIMIT);
  }

  /**
   * With chunks of another size.
   *
   * @param slotLimit how long a receiver may take to make its replication slot
   */
  CopyPhase(
      Migration migration,
      Guards guards,
      Replication replication,
      CopyReport report,
      Throttles throttle,
      BooleanSupplier stop,
      Consumer<String> pause,
      int chunkBlocks,
      Duration slotLimit) {
    this.slotLimit = slotLimit;
    this.pause = pause;
    this.migration = migration;
    this.guards = guards;
    this.replication = replication;
    this.copy = new SourceCopy(migration, replication, report, throttle, stop, pause, chunkBlocks);
  }

  @Override
  public MigrationState state() {
    return MigrationState.COPYING;
  }

  @Override
  public Outcome run() throws Exception {
    Outcome outcome = copyAll();
    if (outcome.next() == MigrationState.FAILED) {
      abandon(); // nobody copies any more, and no shard must keep its WAL
    }
    return outcome;
  }

  private Outcome copyAll() throws Exception {
    dropSlotsOfWayBack(); // of a worker that died where all was ready
    Set<ShardId> sources = migration.copied();
    boolean another = copy.hasBegun(sources);
    if (another) {
      Receivers.finish(migration, guards); // lanes bring changes before rows come
    }
    ExecutorService threads = Executors.newFixedThreadPool(sources.size());
    try {
      List<Future<CopyResult>> copies = new ArrayList<>();
      for (ShardId source : sources) {
        copies.add(threads.submit(() -> copy.round(source)));
      }
      long rows = 0;
      boolean complete = true;
      for (Future<CopyResult> round : copies) {
        CopyResult result;
        try {
          result = result(round);
        } catch (CopyException e) {
          return again(e);
        }
        complete &= result.complete();
        // in a round that ended early they may have been corrected since they were counted
        Outcome strays = result.complete() ? refuseStrays(result) : null;
        if (strays != null) {
          return strays;
        }
        rows +=
            result.rows().values().stream()
                .flatMap(byShard -> byShard.values().stream())
                .mapToLong(Long::longValue)
                .sum();
      }
      if (!complete) {
        return new Outcome(MigrationState.COPYING, "a round has ended");
      }
      if (!another) {
        Receivers.finish(migration, guards);
      }
      openWayBack();
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

  /** What the next round mends; anything else needs a person. */
  private Outcome again(CopyException e) throws InterruptedException {
    return switch (e.reason()) {
      case SNAPSHOT_GONE, CATALOG_CHANGED -> {
        log.warn("the round of the copy has ended: {}", e.getMessage());
        Thread.sleep(PAUSE_MS); // whatever it was may be over then
        yield new Outcome(MigrationState.COPYING, e.getMessage());
      }
      case ROW_TOO_LARGE -> {
        pause.accept(e.getMessage());
        yield new Outcome(MigrationState.COPYING, "a row is too large");
      }
      case TABLES_DIFFER, DESTINATION_NOT_EMPTY, UNIQUE_CONFLICT, OTHER_ANCHOR, SERVER_FAILED ->
          throw e;
    };
  }

  /** Lets all shards' WAL go: nobody copies any more. */
  private void abandon() throws SQLException {
    for (ShardId shard : migration.captured()) {
      replication.stopCapture(shard);
      try (Connection connection = migration.sessions().open(shard, "copy")) {
        ReplicationSlots.drop(connection, migration.slot(shard));
      }
    }
  }

  /** Nobody reads the slots before the next state: unless all is ready for it, none stays. */
  private void openWayBack() throws SQLException, InterruptedException {
    boolean open = false;
    try {
      prepareWayBack(makeSlotsOfWayBack());
      open = true;
    } finally {
      if (!open) {
        dropSlotsOfWayBack();
      }
    }
  }

  private void dropSlotsOfWayBack() {
    for (ShardId shard : Receivers.of(migration)) {
      try (Connection connection = migration.sessions().open(shard, "copy")) {
        ReplicationSlots.drop(connection, migration.slot(shard));
      } catch (SQLException | RuntimeException e) {
        log.warn(
            "{}: replication slot {} keeps WAL until this is tried again",
            shard,
            migration.slot(shard),
            e);
      }
    }
  }

  /**
   * A shard that only receives is captured from here on. Not earlier, for it would have to keep the
   * WAL of all that is loaded; nor later, for it may own the buckets soon. Its guard is closed
   * since before the load, so that no application's write of a moving bucket is missed.
   *
   * @return where lanes from each of them start
   */
  private Map<ShardId, LanePosition> makeSlotsOfWayBack()
      throws SQLException, InterruptedException {
    Map<ShardId, LanePosition> starts = new TreeMap<>();
    for (ShardId shard : Receivers.of(migration)) {
      String slot = migration.slot(shard);
      migration.control().registry().register(shard, Kind.REPLICATION_SLOT, slot, "");
      try (Connection connection = migration.sessions().open(shard, "copy")) {
        ReplicationSlots.drop(connection, slot);
        long before = migration.control().nextIncarnation();
        Anchor anchor = AnchorHolder.permanentSlot(migration.sessions(), shard, slot, slotLimit);
        starts.put(shard, LanePosition.startingAfter(anchor, before));
      }
    }
    return starts;
  }

  /**
   * The lanes of the way back begin where their shard's slot does. Until a unit has moved, any
   * change they meet of its buckets is a violation: the destination is closed.
   */
  private void prepareWayBack(Map<ShardId, LanePosition> receivers) throws SQLException {
    for (Move move : migration.moves().all()) {
      LanePosition start = receivers.get(move.destination());
      if (start == null) {
        start = besideLanesForth(move.destination());
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

  /** For a shard that rows come to and go from: its slot is there since its anchor. */
  private LanePosition besideLanesForth(ShardId shard) throws SQLException {
    ShardId fed = migration.fedBy(shard).iterator().next();
    LanePosition forth;
    try (Connection connection = migration.sessions().open(fed, "lane")) {
      forth = LaneProgress.find(connection, migration.name(), shard).orElseThrow().position();
    }
    try (Connection connection = migration.sessions().open(shard, "lane")) {
      return forth.besideFrom(
          ReplicationSlots.find(connection, migration.slot(shard)).orElseThrow().confirmed());
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
