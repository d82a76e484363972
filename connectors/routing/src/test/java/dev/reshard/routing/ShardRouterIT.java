package dev.reshard.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Buckets 0 and 1 are a's, 2 and 3 are b's. Each shard has a trigger that refuses as a guard would,
 * by what its table {@code refusal} says; a sequence counts how often it did.
 */
@Timeout(60)
class ShardRouterIT {
  private static final HashBuckets MODULO_4 = new HashBuckets(HashBuckets.Function.MODULO, 4);
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");

  private SandboxShards shards;
  private ShardRouter router;

  @BeforeEach
  void open() throws SQLException {
    shards = SharedSandbox.shards(2);
    shards.execute(
        "CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id bigint NOT NULL)",
        "CREATE TABLE refusal (bucket int, detail text NOT NULL, times int NOT NULL)",
        "CREATE SEQUENCE refused",
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE r refusal;
        BEGIN
          SELECT * INTO r FROM refusal WHERE bucket = NEW.tenant_id % 4;
          IF FOUND AND nextval('refused') <= r.times THEN
            RAISE EXCEPTION USING ERRCODE = 'RS001', MESSAGE = 'bucket is closing or has moved',
              DETAIL = r.detail;
          END IF;
          RETURN NULL;
        END $$""",
        """
        CREATE TRIGGER guard AFTER INSERT OR UPDATE ON orders
          FOR EACH ROW EXECUTE FUNCTION refuse()""");
    adopt("shop", MODULO_4);
    router = ShardRouter.open(config());
  }

  @AfterEach
  void close() throws SQLException {
    router.close();
    shards.close();
  }

  @Test
  void runsATransactionOnTheOwnerOfItsKey() throws SQLException {
    router.write("5", connection -> insert(connection, 1, 5));
    router.write("6", connection -> insert(connection, 2, 6));
    assertEquals(List.of("1"), ids("a"));
    assertEquals(List.of("2"), ids("b"));
    assertEquals(1, router.read("5", ShardRouterIT::count));
  }

  @Test
  void runsTheWholeFunctionAgainWhileABucketIsClosing() throws SQLException {
    refuse("a", 1, "{\"state\":\"WAIT\",\"bucket\":1,\"owner\":\"b\",\"epoch\":2}", 5);
    AtomicInteger tries = new AtomicInteger();
    router.write(
        "5",
        connection -> {
          tries.incrementAndGet();
          insert(connection, 1, 4);
          return insert(connection, 2, 5);
        });
    assertEquals(6, tries.get());
    assertEquals(List.of("1", "2"), ids("a"));
  }

  @Test
  void followsABucketThatMovedBeforeTheControlDatabaseKnows() throws SQLException {
    refuse("a", 1, moved("b", 2), 1000);
    router.write("5", connection -> insert(connection, 1, 5));
    assertEquals(List.of(), ids("a"));
    assertEquals(List.of("1"), ids("b"));
    assertEquals(new Route(1, B, 2), router.route("5"));
    assertEquals(new Route(0, A, 1), router.route("4"));
  }

  @Test
  void anAnswerThatIsNotNewerDoesNotChangeTheMap() throws SQLException {
    refuse("a", 1, moved("b", 1), 3);
    router.write("5", connection -> insert(connection, 1, 5));
    assertEquals(List.of("1"), ids("a"));
    assertEquals(new Route(1, A, 1), router.route("5"));
  }

  @Test
  void followsTheStoredMap() throws Exception {
    try (Connection control = shards.get("a").connect(SandboxRole.RESHARD)) {
      ShardMapStore.move(control, "shop", List.of(new Move(A, B, BucketSet.of(1))), 1);
    }
    while (!router.route("5").owner().equals(B)) {
      Thread.sleep(5);
    }
    assertEquals(new Route(1, B, 2), router.route("5"));
  }

  @Test
  void triesAgainWhenTheRefusalComesAtCommit() throws SQLException {
    shards.execute(
        "DROP TRIGGER guard ON orders",
        """
        CREATE CONSTRAINT TRIGGER guard AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION refuse()""");
    refuse("a", 1, moved("b", 2), 1000);
    router.write("5", connection -> insert(connection, 1, 5));
    assertEquals(List.of(), ids("a"));
    assertEquals(List.of("1"), ids("b"));
  }

  @Test
  void findsTheRefusalInABatch() throws SQLException {
    refuse("a", 1, moved("b", 2), 1000);
    AtomicInteger batches = new AtomicInteger();
    router.write(
        "5",
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement("INSERT INTO orders VALUES (?, 5)")) {
            for (int id = 0; id < 3; id++) {
              statement.setInt(1, id);
              statement.addBatch();
            }
            return statement.executeBatch();
          } catch (BatchUpdateException e) {
            batches.incrementAndGet();
            throw e;
          }
        });
    assertEquals(1, batches.get());
    assertEquals(List.of("0", "1", "2"), ids("b"));
  }

  @Test
  void doesNotSayCommittedWhenTheFunctionSwallowedTheFailure() throws SQLException {
    refuse("a", 1, moved("b", 2), 1000);
    SQLException e =
        assertThrows(
            SQLException.class,
            () ->
                router.write(
                    "5",
                    connection -> {
                      try {
                        insert(connection, 1, 5);
                      } catch (SQLException swallowed) {
                        // as an application might that takes every failure for a duplicate
                      }
                      return null;
                    }));
    assertEquals("25P02", e.getSQLState());
    assertEquals(List.of(), ids("a"));
    assertEquals(List.of(), ids("b"));
  }

  @Test
  void aSavepointDoesNotKeepHalfATransactionOnTheOldOwner() throws SQLException {
    refuse("a", 1, moved("b", 2), 1000);
    router.write(
        "5",
        connection -> {
          insert(connection, 1, 4);
          Savepoint savepoint = connection.setSavepoint();
          try {
            return insert(connection, 2, 5);
          } catch (SQLException e) {
            connection.rollback(savepoint);
            throw new IllegalStateException("not even after a savepoint", e);
          }
        });
    assertEquals(List.of(), ids("a"));
    assertEquals(List.of("1", "2"), ids("b"));
  }

  @Test
  void givesUpInTimeWithTheLastRefusal() throws SQLException {
    refuse("a", 1, "{\"state\":\"WAIT\",\"bucket\":1,\"owner\":\"b\",\"epoch\":2}", 1_000_000);
    try (ShardRouter impatient = ShardRouter.open(config().withTimeout(Duration.ofMillis(300)))) {
      BucketsRefusedException e =
          assertThrows(
              BucketsRefusedException.class,
              () -> impatient.write("5", connection -> insert(connection, 1, 5)));
      assertEquals("RS001", assertInstanceOf(SQLException.class, e.getCause()).getSQLState());
      assertTrue(e.getMessage().contains("Buckets [1]"), e.getMessage());
    }
    assertEquals(List.of(), ids("a"));
  }

  @Test
  void otherFailuresAreRolledBackAndNotTriedAgain() throws SQLException {
    router.write("5", connection -> insert(connection, 1, 5));
    AtomicInteger tries = new AtomicInteger();
    SQLException e =
        assertThrows(
            SQLException.class,
            () ->
                router.write(
                    "5",
                    connection -> {
                      tries.incrementAndGet();
                      insert(connection, 2, 5);
                      return insert(connection, 1, 5);
                    }));
    assertEquals("23505", e.getSQLState());
    assertEquals(1, tries.get());
    assertEquals(List.of("1"), ids("a"));
  }

  @Test
  void anAnswerToCommitThatIsLostIsToldAndNotTriedAgain() throws SQLException {
    shards.execute(
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_terminate_backend(pg_backend_pid());
          RETURN NULL;
        END $$""",
        """
        CREATE CONSTRAINT TRIGGER die AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW WHEN (NEW.id = 13) EXECUTE FUNCTION die()""");
    AtomicInteger tries = new AtomicInteger();
    assertThrows(
        CommitUnknownException.class,
        () ->
            router.write(
                "5",
                connection -> {
                  tries.incrementAndGet();
                  return insert(connection, 13, 5);
                }));
    assertEquals(1, tries.get());
    router.write("5", connection -> insert(connection, 14, 5));
    assertEquals(List.of("14"), ids("a"));
  }

  @Test
  void refusesEarlyWhatTwoShardsOwn() throws SQLException {
    AtomicInteger tries = new AtomicInteger();
    DifferentOwnersException e =
        assertThrows(
            DifferentOwnersException.class,
            () -> router.write(List.of("5", "6"), connection -> tries.incrementAndGet()));
    assertEquals(Map.of(1, A, 2, B), e.owners());
    assertEquals(0, tries.get());
    router.write(List.of("4", "5"), connection -> insert(connection, 1, 5));
    assertEquals(List.of("1"), ids("a"));
  }

  @Test
  void bucketsThatMoveTogetherAreNotRefusedWhileOnlyOneIsKnownToHaveMoved() throws Exception {
    refuse("a", 1, moved("b", 2), 1000);
    Thread control =
        new Thread(
            () -> {
              try (Connection connection = shards.get("a").connect(SandboxRole.RESHARD)) {
                Thread.sleep(200);
                Move move = new Move(A, B, BucketSet.of(0, 1));
                ShardMapStore.move(connection, "shop", List.of(move), 1);
              } catch (SQLException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    control.start();
    router.write(
        List.of("4", "5"),
        connection -> {
          insert(connection, 1, 4);
          return insert(connection, 2, 5);
        });
    control.join();
    assertEquals(List.of(), ids("a"));
    assertEquals(List.of("1", "2"), ids("b"));
  }

  @Test
  void readsDoNotWrite() {
    SQLException e =
        assertThrows(
            SQLException.class, () -> router.read("5", connection -> insert(connection, 1, 5)));
    assertEquals("25006", e.getSQLState());
  }

  @Test
  void keepsTheLastMapWhileItCannotBeRead() throws SQLException {
    shards.get("a").executeAsSuperuser("DROP SCHEMA reshard CASCADE");
    assertThrows(
        DifferentOwnersException.class,
        () -> router.write(List.of("5", "6"), connection -> insert(connection, 1, 5)));
    router.write("5", connection -> insert(connection, 1, 5));
    assertEquals(List.of("1"), ids("a"));
  }

  @Test
  void asksAnyShardForBucketsOfTheApplicationsOwnFunctionAndRunsNothingWhileNoneAnswers()
      throws SQLException {
    Partitioning own = SqlBuckets.of("public.place({key})", 4);
    adopt("by_function", own);
    shards
        .get("b")
        .execute(
            "CREATE FUNCTION place(tenant bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT (tenant & 3)::int'");
    try (ShardRouter asking = ShardRouter.open(config("by_function", own))) {
      asking.write("6", connection -> insert(connection, 1, 6));
      assertEquals(List.of("1"), ids("b"));
      assertThrows(IllegalArgumentException.class, () -> asking.route("six"));
      shards.get("b").execute("DROP FUNCTION place");
      SQLException e =
          assertThrows(
              SQLException.class, () -> asking.write("5", connection -> insert(connection, 2, 5)));
      assertTrue(e.getMessage().contains("nothing was run"), e.getMessage());
      assertEquals("42883", e.getSQLState());
      assertEquals(2, asking.route("6").bucket());
    }
  }

  @Test
  void readsTheStoredKeysOfADirectoryAndRefusesOthers() throws SQLException {
    DirectoryBuckets directory = DirectoryBuckets.of("by_table", "select id, shard from t");
    adopt("by_table", directory.withKeys(List.of("10", "20", "30", "40")));
    try (ShardRouter reading = ShardRouter.open(config("by_table", directory))) {
      reading.write("30", connection -> insert(connection, 1, 30));
      assertEquals(List.of("1"), ids("b"));
      assertThrows(
          IllegalArgumentException.class,
          () -> reading.write("50", connection -> insert(connection, 2, 50)));
    }
  }

  private void adopt(String keyspace, Partitioning partitioning) throws SQLException {
    try (Connection control = shards.get("a").connect(SandboxRole.RESHARD)) {
      ShardMapStore.adopt(
          control,
          keyspace,
          partitioning,
          ShardMap.of(1, 4, Map.of(A, BucketSet.range(0, 2), B, BucketSet.range(2, 4))));
    }
  }

  @Test
  void doesNotOpenUnderAnotherPartitioning() {
    RouterConfig other =
        RouterConfig.of(
            "shop",
            new HashBuckets(HashBuckets.Function.MD5, 4),
            address("a"),
            Map.of(A, address("a")));
    assertThrows(MapConflictException.class, () -> ShardRouter.open(other));
  }

  @Test
  void namesAShardItHasNoAddressOf() throws SQLException {
    RouterConfig onlyA = RouterConfig.of("shop", MODULO_4, address("a"), Map.of(A, address("a")));
    try (ShardRouter lacking = ShardRouter.open(onlyA)) {
      SQLException e =
          assertThrows(
              SQLException.class, () -> lacking.write("6", connection -> insert(connection, 1, 6)));
      assertTrue(e.getMessage().contains("the map names shard b"), e.getMessage());
    }
  }

  private RouterConfig config() {
    return config("shop", MODULO_4);
  }

  private RouterConfig config(String keyspace, Partitioning partitioning) {
    return RouterConfig.of(
            keyspace, partitioning, address("a"), Map.of(A, address("a"), B, address("b")))
        .withPoolSize(2)
        .withPoll(Duration.ofMillis(50));
  }

  private DatabaseAddress address(String name) {
    SandboxShard shard = shards.get(name);
    return new DatabaseAddress(shard.url(), SandboxRole.APP.user(), SandboxRole.APP.password());
  }

  private void refuse(String shard, int bucket, String detail, int times) throws SQLException {
    shards
        .get(shard)
        .execute("INSERT INTO refusal VALUES (%d, '%s', %d)".formatted(bucket, detail, times));
  }

  private static String moved(String owner, long epoch) {
    return "{\"state\":\"MOVED\",\"bucket\":1,\"owner\":\"%s\",\"epoch\":%d}"
        .formatted(owner, epoch);
  }

  private List<String> ids(String shard) throws SQLException {
    return shards.get(shard).query("SELECT id FROM orders ORDER BY id");
  }

  private static int insert(Connection connection, long id, long tenant) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.executeUpdate("INSERT INTO orders VALUES (%d, %d)".formatted(id, tenant));
    }
  }

  private static int count(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM orders")) {
      row.next();
      return row.getInt(1);
    }
  }
}
