package dev.reshard.capture;

import dev.reshard.change.ChangeReader;
import dev.reshard.change.ChangeReader.Position;
import dev.reshard.change.ChangeTopics;
import dev.reshard.change.Transaction;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ServerLookup;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Anchor;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.Publications;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.sandbox.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A shard with tables {@code orders} (sharded by customer, 8 buckets, of which 0 to 3 move) and
 * {@code countries} (reference), its slot and topic, a capture and a reader.
 */
final class CaptureRig implements AutoCloseable {
  static final TableId ORDERS = new TableId("public", "orders");
  static final TableId COUNTRIES = new TableId("public", "countries");

  static final String[] ORDERS_TABLES = {
    "CREATE TABLE orders (id bigint, customer bigint, note text, PRIMARY KEY (id, customer))",
    "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
    "CREATE TABLE countries (code text PRIMARY KEY, name text)"
  };

  /** Longer than anything takes unless it never comes. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final SandboxShard shard;
  final ShardSessions sessions;
  final Map<String, Object> kafka;
  final String topic;
  final CaptureSource source;
  final Anchor anchor;
  final AtomicLong incarnations = new AtomicLong();

  private final List<Runnable> opened = new ArrayList<>();

  CaptureRig(SandboxShard shard, SandboxKafka broker, String... tables) throws SQLException {
    this(shard, broker, new HashBuckets(HashBuckets.Function.MODULO, 8), Map.of(), tables);
  }

  private CaptureRig(
      SandboxShard shard,
      SandboxKafka broker,
      Partitioning partitioning,
      Map<TableId, Set<String>> ignored,
      String... tables)
      throws SQLException {
    this.shard = shard;
    shard.execute(tables);
    shard.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO app");
    ShardId id = new ShardId("a");
    sessions =
        new ShardSessions(
            "test",
            List.of(
                new ShardAddress(
                    id, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
    ServerLookup lookup = new ServerLookup(List.of(() -> sessions.open(id, "buckets")));
    opened.add(lookup::close);
    kafka = Map.of("bootstrap.servers", broker.bootstrapServers());
    topic = "changes." + shard.database();
    ChangeTopics.create(kafka, topic, (short) 1);
    List<TableId> sharded = new ArrayList<>();
    List<TableId> reference = new ArrayList<>();
    for (String name :
        shard.query(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
                + " AND relnamespace = 'public'::regnamespace")) {
      (name.equals("countries") ? reference : sharded).add(new TableId("public", name));
    }
    source =
        new CaptureSource(
            sessions,
            id,
            "slot_" + shard.database(),
            "pub_" + shard.database(),
            Marker.random(),
            new CaptureScope(
                new Keyspace(
                    "shop",
                    partitioning.askingBy(lookup),
                    sharded.stream().map(t -> new Keyspace.ShardedTable(t, "customer")).toList(),
                    reference,
                    ignored),
                BucketSet.range(0, 4),
                true));
    try (Connection connection = sessions.open(id, "test")) {
      ShardSchema.install(connection);
      List<TableId> all = new ArrayList<>(sharded);
      all.addAll(reference);
      Publications.create(connection, source.publication(), all);
    }
    try (Connection replication = sessions.openReplication(id, "test")) {
      anchor =
          ReplicationSlots.create(replication, id, source.slot(), ReplicationSlots.Kind.PERMANENT);
    }
  }

  /** On the shared servers. */
  static CaptureRig with(String... tables) throws SQLException {
    return new CaptureRig(SharedSandbox.shards(1).get("a"), SharedSandbox.kafka(), tables);
  }

  /** On the shared servers, with rows that something else than {@code customer mod 8} places. */
  static CaptureRig placedBy(Partitioning partitioning, String... tables) throws SQLException {
    return new CaptureRig(
        SharedSandbox.shards(1).get("a"), SharedSandbox.kafka(), partitioning, Map.of(), tables);
  }

  /** On the shared servers; {@code note} is stored out of line when it is long. */
  static CaptureRig withOrders() throws SQLException {
    return with(ORDERS_TABLES);
  }

  /** The same, whose long column nobody copies. */
  static CaptureRig withOrdersIgnoring(String column) throws SQLException {
    return new CaptureRig(
        SharedSandbox.shards(1).get("a"),
        SharedSandbox.kafka(),
        new HashBuckets(HashBuckets.Function.MODULO, 8),
        Map.of(new TableId("public", "orders"), Set.of(column)),
        ORDERS_TABLES);
  }

  Capture startCapture() {
    return startCapture(Capture.KAFKA_IS_ENOUGH);
  }

  Capture startCapture(Supplier<Lsn> durable) {
    return startCapture(incarnations::incrementAndGet, durable);
  }

  Capture startCapture(LongSupplier numbers, Supplier<Lsn> durable) {
    Capture capture = new Capture(source, new CaptureTarget(kafka, topic), numbers, durable);
    opened.add(capture::close);
    capture.start();
    return capture;
  }

  /** Starts a capture that reaches the shard through a proxy. */
  Capture startCaptureThrough(TcpProxy proxy) {
    String url =
        "jdbc:postgresql://%s:%d/%s".formatted(proxy.host(), proxy.port(), shard.database());
    ShardAddress far =
        new ShardAddress(
            source.shard(), url, SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password());
    CaptureSource through =
        new CaptureSource(
            new ShardSessions("test", List.of(far)),
            source.shard(),
            source.slot(),
            source.publication(),
            source.marker(),
            source.scope());
    Capture capture =
        new Capture(
            through,
            new CaptureTarget(kafka, topic),
            incarnations::incrementAndGet,
            Capture.KAFKA_IS_ENOUGH);
    opened.add(capture::close);
    capture.start();
    return capture;
  }

  ChangeReader reader() {
    return reader(Position.after(anchor.position()));
  }

  ChangeReader reader(Position from) {
    ChangeReader reader = new ChangeReader(kafka, topic, from, Optional.empty());
    opened.add(reader::close);
    return reader;
  }

  /** The next transaction that is no heartbeat. */
  static Transaction next(ChangeReader reader) {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (Instant.now().isBefore(deadline)) {
      Optional<Transaction> transaction = reader.next(Duration.ofSeconds(1));
      if (transaction.isPresent()
          && !(transaction.get().changes().isEmpty() && transaction.get().tokens().isEmpty())) {
        return transaction.get();
      }
    }
    throw new AssertionError("no transaction in " + PATIENCE);
  }

  /** Waits for something that happens soon. */
  static void await(String what, Supplier<Boolean> condition) throws InterruptedException {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (!condition.get()) {
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError("not within %s: %s".formatted(PATIENCE, what));
      }
      Thread.sleep(20);
    }
  }

  /** Waits until capture gives up, and says for which reason. */
  static CaptureException.Reason problem(Capture capture) throws InterruptedException {
    await("capture gives up", () -> capture.status().problem().isPresent());
    return capture.status().problem().orElseThrow();
  }

  /** The slot's confirmed position. */
  Lsn confirmed() {
    return slot().confirmed();
  }

  /** Whether nobody reads from the slot. */
  boolean slotIsFree() {
    return !slot().active();
  }

  private ReplicationSlots.Slot slot() {
    try (Connection connection = sessions.open(source.shard(), "test")) {
      return ReplicationSlots.find(connection, source.slot()).orElseThrow();
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs statements in one transaction of the application. */
  void inTransaction(String... statements) throws SQLException {
    try (Connection connection = shard.connect(SandboxRole.APP);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (String sql : statements) {
        statement.execute(sql);
      }
      connection.commit();
    }
  }

  @Override
  public void close() throws SQLException {
    for (int i = opened.size() - 1; i >= 0; i--) {
      opened.get(i).run();
    }
    ChangeTopics.delete(kafka, topic);
    shard.close();
  }
}
