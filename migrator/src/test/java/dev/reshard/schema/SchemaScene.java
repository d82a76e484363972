package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Item;
import dev.reshard.control.ControlStore;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.preflight.Preflight;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Shard a, or a and b, give buckets to shard c, which has whatever a test gives it. */
final class SchemaScene implements AutoCloseable {
  static final ShardId A = new ShardId("a");
  static final ShardId B = new ShardId("b");
  static final ShardId C = new ShardId("c");
  static final String ROLE = "reporting";

  final SandboxShards shards;
  final ShardSessions sessions;
  final CleanupRegistry registry;
  final WorkerIdentity worker = new WorkerIdentity("shop", 1, Marker.random());
  private final ControlStore control;

  SchemaScene() throws SQLException {
    this(Map.of());
  }

  /** One in which columns are left out. */
  SchemaScene(Map<TableId, Set<String>> ignored) throws SQLException {
    shards = SharedSandbox.freshShards("a", "b", "c");
    sessions =
        new ShardSessions(
            "shop",
            shards.all().stream()
                .map(
                    shard ->
                        new ShardAddress(
                            new ShardId(shard.name()),
                            shard.url(),
                            SandboxRole.RESHARD.user(),
                            SandboxRole.RESHARD.password()))
                .toList(),
            ignored);
    for (ShardId shard : sessions.shards()) {
      shard(shard).executeAsSuperuser("CREATE ROLE " + ROLE);
      try (Connection connection = sessions.open(shard, "test")) {
        ShardSchema.install(connection);
        ShardSchema.takeLease(connection, worker);
      }
    }
    control = new ControlStore(sessions, A, "shop");
    control.install();
    registry = control.registry();
  }

  SandboxShard shard(ShardId id) {
    return shards.get(id.name());
  }

  /** Everything that a schema can have. */
  void makeEverything(ShardId shard) throws SQLException {
    shard(shard).createSchema("shop");
    shard(shard).createSchema("\"Odd \"\"Shop\"\"\"");
    shard(shard).execute(resource("everything.sql"));
  }

  /** The sharded tables of {@link #makeEverything}; all others of it are reference tables. */
  static Keyspace everything() {
    return keyspace(
        "customer",
        List.of("shop.customer", "Odd \"Shop\".Order", "shop.event", "shop.log", "shop.mark"),
        List.of("shop.country", "shop.cart", "shop.nothing", "shop.empty_root"));
  }

  static Keyspace keyspace(String key, List<String> sharded, List<String> reference) {
    return new Keyspace(
        "shop",
        new HashBuckets(HashBuckets.Function.MODULO, 8),
        sharded.stream().map(name -> new ShardedTable(table(name), key)).toList(),
        reference.stream().map(SchemaScene::table).toList());
  }

  private static TableId table(String name) {
    int dot = name.indexOf('.');
    return new TableId(name.substring(0, dot), name.substring(dot + 1));
  }

  SchemaCopy copy(Keyspace keyspace, ShardId... sources) {
    return new SchemaCopy(
        sessions,
        keyspace,
        new Moves(
            Stream.of(sources)
                .map(source -> new Move(source, C, BucketSet.of(List.of(sources).indexOf(source))))
                .toList()),
        A);
  }

  SchemaPlan plan(Keyspace keyspace) throws SQLException {
    return copy(keyspace, A).plan(C, Optional.of(registry));
  }

  void run(Keyspace keyspace) throws SQLException, InterruptedException {
    copy(keyspace, A).run(registry, worker);
  }

  void make(SchemaPlan plan) throws SQLException, InterruptedException {
    new SchemaWriter(sessions, registry, worker).make(plan);
  }

  /** As another worker does that takes over. */
  void takeLease(ShardId shard, long number) throws SQLException {
    try (Connection connection = sessions.open(shard, "test")) {
      ShardSchema.takeLease(connection, new WorkerIdentity("shop", number, worker.marker()));
    }
  }

  /** As a clean-up does it. */
  void undo(Item item) throws SQLException {
    try (Connection connection = sessions.open(item.shard(), "test");
        Statement statement = connection.createStatement()) {
      statement.execute(item.undo());
    }
    registry.undone(item);
  }

  /** What {@code check} prints of it, but its first line. */
  List<String> check(Keyspace keyspace, ShardId... sources) {
    List<String> lines =
        Preflight.run(
                SchemaChecks.of(copy(keyspace, sources), Optional.of(registry), sessions.shards()))
            .lines();
    return lines.subList(1, lines.size());
  }

  /** A shard's whole schema, not as the product reads it. */
  List<String> listing(ShardId shard) throws SQLException {
    return shard(shard).query(resource("listing.sql"));
  }

  /** One of the lines begins so. */
  static void assertHas(List<String> lines, String beginning) {
    assertTrue(
        lines.stream().anyMatch(line -> line.startsWith(beginning)),
        () -> beginning + " is not in\n" + String.join("\n", lines));
  }

  static String resource(String file) {
    try (InputStream in = SchemaScene.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws SQLException {
    control.close();
    shards.close();
    for (SandboxShard shard : shards.all()) {
      try (Connection connection = shard.server().superuserConnection("postgres");
          Statement statement = connection.createStatement()) {
        statement.execute("DROP ROLE " + ROLE);
      }
    }
  }
}
