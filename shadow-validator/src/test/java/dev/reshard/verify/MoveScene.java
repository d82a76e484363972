package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.ChangeSource;
import dev.reshard.apply.Lane;
import dev.reshard.apply.LaneConfig;
import dev.reshard.apply.LaneLimits;
import dev.reshard.apply.LanePosition;
import dev.reshard.apply.LaneProgress;
import dev.reshard.capture.Capture;
import dev.reshard.capture.CaptureScope;
import dev.reshard.capture.CaptureSource;
import dev.reshard.capture.CaptureTarget;
import dev.reshard.change.ChangeReader;
import dev.reshard.change.ChangeTopics;
import dev.reshard.change.Transaction;
import dev.reshard.control.ControlStore;
import dev.reshard.copy.CopyDestinations;
import dev.reshard.copy.CopyOptions;
import dev.reshard.copy.CopyPlan;
import dev.reshard.copy.ShardCopier;
import dev.reshard.copy.TableCopy;
import dev.reshard.guard.Arming;
import dev.reshard.guard.Guard;
import dev.reshard.guard.Patience;
import dev.reshard.guard.Unit;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.CopyFormat;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.Publications;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.schema.RowKeys;
import dev.reshard.schema.SchemaCopy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The whole way of some tables from shard a to shard b: schema, copy, capture, lane, comparison.
 * Buckets 0-5 of 8, by modulo of {@code tenant}, move.
 */
final class MoveScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Partitioning BUCKETS = new HashBuckets(HashBuckets.Function.MODULO, 8);
  private static final BucketSet MOVING = BucketSet.range(0, 6);
  private static final Moves MOVES = new Moves(List.of(new Move(A, B, MOVING)));
  private static final ShardMap MAP =
      ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 7), B, BucketSet.of(7)));

  final SandboxShards shards;
  private final ShardSessions sessions;
  private final WorkerIdentity worker = new WorkerIdentity("scene", 1, Marker.random());
  private final Keyspace keyspace;
  private final Map<String, Object> kafka =
      Map.of("bootstrap.servers", SharedSandbox.kafka().bootstrapServers());
  private final String name;
  private Capture capture;
  private Lane lane;

  MoveScene(SandboxShards shards, List<TableId> tables) throws SQLException {
    this.shards = shards;
    this.name = "scene_" + System.nanoTime();
    keyspace =
        new Keyspace(
            "scene",
            BUCKETS,
            tables.stream().map(t -> new Keyspace.ShardedTable(t, "tenant")).toList(),
            List.of());
    sessions =
        new ShardSessions(
            "scene",
            shards.all().stream()
                .map(
                    shard ->
                        new ShardAddress(
                            new ShardId(shard.name()),
                            shard.url(),
                            SandboxRole.RESHARD.user(),
                            SandboxRole.RESHARD.password()))
                .toList());
    for (ShardId shard : sessions.shards()) {
      try (Connection connection = sessions.open(shard, "test")) {
        ShardSchema.install(connection);
        ShardSchema.takeLease(connection, worker);
      }
    }
  }

  /** Makes a's row keys whole, and arms its guard, as a migration does before it copies. */
  void prepareSource() throws SQLException, InterruptedException {
    try (ControlStore control = new ControlStore(sessions, A, "scene");
        Connection connection = sessions.open(A, "test")) {
      control.install();
      new RowKeys(sessions, control.registry(), "scene").prepare(A, keyspace);
      ShardSchema.install(connection, BUCKETS);
      Guard.install(connection);
      new Arming(keyspace, worker, Patience.POLITE)
          .arm(connection, A, new Unit("scene", "all/a", MOVES.all()), MAP.epoch());
    }
  }

  /** Makes at b what a has. */
  void copySchema() throws SQLException, InterruptedException {
    try (ControlStore control = new ControlStore(sessions, A, "scene")) {
      control.install();
      new SchemaCopy(sessions, keyspace, MOVES, A).run(control.registry(), worker);
    }
  }

  /**
   * Copies all rows, and starts to replicate from there.
   *
   * @return how each table's rows travelled
   */
  List<CopyFormat> copyAndReplicate() throws SQLException, InterruptedException {
    try (Connection connection = sessions.open(A, "test")) {
      Publications.create(
          connection, name, keyspace.sharded().stream().map(Keyspace.ShardedTable::id).toList());
    }
    CopyPlan plan = plan();
    new CopyDestinations(sessions, worker).prepare(plan);
    try (AnchorHolder anchor =
        AnchorHolder.take(sessions, A, name, ReplicationSlots.Kind.PERMANENT, PATIENCE)) {
      ShardCopier copier =
          new ShardCopier(sessions, worker, new CopyOptions(2, 64), p -> {}, () -> false);
      assertTrue(copier.copy(plan, anchor).complete());
      try (Connection connection = sessions.open(B, "test")) {
        LaneProgress.install(connection);
        LaneProgress.create(connection, "scene", A, LanePosition.startingAfter(anchor.anchor(), 0));
      }
    }
    ChangeTopics.create(kafka, name, (short) 1);
    capture =
        new Capture(
            new CaptureSource(
                sessions,
                A,
                name,
                name,
                worker.marker(),
                new CaptureScope(keyspace, MOVING, false)),
            new CaptureTarget(kafka, name),
            new AtomicLong()::incrementAndGet,
            Capture.KAFKA_IS_ENOUGH);
    lane =
        new Lane(
            new LaneConfig(A, B, MOVING, false, keyspace, worker),
            LaneLimits.DEFAULT,
            sessions,
            Reader::new,
            null);
    capture.start();
    lane.start();
    return plan.tables().stream().map(TableCopy::format).toList();
  }

  /** Waits until b has all that was committed on a. */
  void catchUp() throws SQLException, InterruptedException {
    String token = worker.marker().token("at " + System.nanoTime());
    shards
        .get("a")
        .query("SELECT pg_logical_emit_message(true, '%s', '%s')".formatted(Marker.FENCE, token));
    assertTrue(
        lane.awaitToken(token, PATIENCE), () -> lane.status() + " " + capture.status().reason());
  }

  List<TableResult> verify() throws SQLException, InterruptedException {
    return new FrozenComparison(sessions, result -> {})
        .compare(plan(), List.of(new RunningLane(lane)), name + "_v", () -> {})
        .tables();
  }

  private CopyPlan plan() throws SQLException {
    try (Connection connection = sessions.open(A, "test")) {
      return CopyPlan.read(connection, A, keyspace, MAP, MOVES, Map.of());
    }
  }

  @Override
  public void close() throws SQLException {
    if (lane != null) {
      lane.close();
      capture.close();
      ChangeTopics.delete(kafka, name);
    }
    shards.close();
  }

  private record RunningLane(Lane lane) implements HeldLane {
    @Override
    public ShardId destination() {
      return B;
    }

    @Override
    public void hold() throws InterruptedException {
      lane.hold();
    }

    @Override
    public boolean applyTo(Lsn target, Duration limit) throws InterruptedException {
      return lane.applyTo(target, limit);
    }

    @Override
    public void resume() {
      lane.resume();
    }
  }

  private final class Reader implements ChangeSource {
    private final ChangeReader reader;

    Reader(LanePosition from) {
      reader =
          new ChangeReader(
              kafka,
              name,
              new ChangeReader.Position(from.incarnation(), from.applied(), from.nextOffset()),
              from.server());
    }

    @Override
    public List<Transaction> poll(Duration timeout) {
      return reader.next(timeout).map(List::of).orElse(List.of());
    }

    @Override
    public void close() {
      reader.close();
    }
  }
}
