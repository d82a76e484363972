package dev.reshard.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.routing.DatabaseAddress;
import dev.reshard.routing.RouterConfig;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.routing.ShardRouter;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two shards, a map that stays as it is, and clients: nothing may be found but what is planted. */
@Timeout(120)
class DemoCheckerIT {
  private static final HashBuckets BUCKETS = new HashBuckets(HashBuckets.Function.MODULO, 64);
  private static final ShardMap MAP =
      ShardMap.of(
          1,
          64,
          Map.of(
              new ShardId("a"), BucketSet.range(0, 32), new ShardId("b"), BucketSet.range(32, 64)));

  private SandboxShards shards;
  private DemoLedger ledger;

  @BeforeEach
  void load() throws Exception {
    shards = SharedSandbox.shards(2);
    try (Connection control = shards.get("a").connect(SandboxRole.RESHARD)) {
      ShardMapStore.adopt(control, "shop", BUCKETS, MAP);
    }
    DemoLoad.Loaded loaded = DemoLoad.load(shards, MAP, BUCKETS, 10_000);
    assertEquals(10_000, loaded.total());
    ledger = DemoLedger.of(shards);
  }

  @AfterEach
  void drop() throws Exception {
    shards.close();
  }

  @Test
  void findsNothingWhereNothingIsWrong() throws Exception {
    Instant start = Instant.now();
    try (DemoClients clients = write(600)) {
      assertEquals(0, clients.failed(), clients.failures().toString());
      assertEquals(0, clients.refusedBetween(start, Instant.now()).count());
      assertTrue(clients.between(start, Instant.now()).count() >= 600);
    }
    CheckReport report = DemoChecker.check(shards, ledger);
    assertTrue(report.isClean(), report.toString());
    assertTrue(report.acknowledged() >= 600, report.toString());
    assertTrue(report.rows() > 10_000, report.toString());
  }

  @Test
  void findsALostRow() throws Exception {
    write(100).close();
    shards.get("a").execute("DELETE FROM events WHERE ctid = (SELECT min(ctid) FROM events)");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.lost(), report.toString());
    assertFalse(report.isClean());
  }

  @Test
  void findsALostWriteOfAClient() throws Exception {
    write(100).close();
    shards
        .get("b")
        .execute(
            """
            DELETE FROM order_items WHERE ctid =
              (SELECT min(ctid) FROM order_items WHERE last_op IS NOT NULL)""");
    assertEquals(1, DemoChecker.check(shards, ledger).lost());
  }

  @Test
  void findsARowOnTwoShards() throws Exception {
    write(100).close();
    String tenant = shards.get("a").query("SELECT tenants::text FROM tenants LIMIT 1").get(0);
    shards.get("b").execute("INSERT INTO tenants SELECT ('%s'::tenants).*".formatted(tenant));
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.doubled(), report.toString());
    assertTrue(report.examples().get(0).startsWith("doubled: tenants "), report.toString());
  }

  @Test
  void findsADoubledEventInATableWithoutAKey() throws Exception {
    write(100).close();
    shards
        .get("a")
        .execute(
            """
            INSERT INTO events SELECT * FROM events
             WHERE ctid = (SELECT max(ctid) FROM events WHERE kind <> 'loaded')""");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.doubled(), report.toString());
  }

  @Test
  void findsARowThatIsAVersionBehind() throws Exception {
    write(100).close();
    shards
        .get("a")
        .execute(
            """
            UPDATE orders SET version = version - 1 WHERE ctid =
              (SELECT max(ctid) FROM orders WHERE last_op IS NOT NULL)""");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.stale(), report.toString());
    assertEquals(0, report.differing(), report.toString());
  }

  @Test
  void findsADeletedRowThatCameBack() throws Exception {
    shards.get("a").execute("CREATE TABLE kept AS SELECT * FROM orders");
    write(200).close();
    shards
        .get("a")
        .execute(
            """
            INSERT INTO orders SELECT * FROM kept k WHERE NOT EXISTS
              (SELECT FROM orders o WHERE o.id = k.id) LIMIT 1""");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.stale(), report.toString());
  }

  @Test
  void findsOneColumnOfOneRowThatDiffers() throws Exception {
    write(100).close();
    shards
        .get("b")
        .execute("UPDATE orders SET note = NULL WHERE id = (SELECT max(id) FROM orders)");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.differing(), report.toString());
  }

  @Test
  void findsAReferenceTableThatDiffers() throws Exception {
    shards.get("b").execute("UPDATE plans SET monthly = monthly + 0.01 WHERE id = 3");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.differing(), report.toString());
  }

  @Test
  void findsARowThatNobodyWrote() throws Exception {
    write(100).close();
    shards.get("b").execute("INSERT INTO events VALUES (40, now(), 'place', 'nobody-1', '{}')");
    CheckReport report = DemoChecker.check(shards, ledger);
    assertEquals(1, report.extra(), report.toString());
  }

  @Test
  void aClientNoticesWhatItLostBeforeItsNextWriteHidesIt() throws Exception {
    shards.execute("UPDATE orders SET note = 'garbled' WHERE id % 20 = 0");
    long garbled = count("a", "note = 'garbled'") + count("b", "note = 'garbled'");
    try (ShardRouter router = router();
        DemoClients clients = DemoClients.start(router, ledger, 4, 400)) {
      while (ledger.foundWrong().isEmpty()) {
        Thread.sleep(5);
      }
      clients.stop();
      assertEquals(0, clients.failed(), clients.failures().toString());
    }
    assertEquals(garbled, DemoChecker.check(shards, ledger).differing());
  }

  @Test
  void clientsWhoseBucketsCloseForAWhileWaitAndFailNothing() throws Exception {
    shards.execute(
        "CREATE TABLE fence (up boolean)",
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM fence) THEN
            RAISE EXCEPTION USING ERRCODE = 'RS001', MESSAGE = 'bucket is closing',
              DETAIL = '{"state":"WAIT","bucket":1,"owner":"a","epoch":1}';
          END IF;
          RETURN NULL;
        END $$""",
        "CREATE TRIGGER guard AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()");
    try (ShardRouter router = router();
        DemoClients clients = DemoClients.start(router, ledger, 4, 300)) {
      awaitAcknowledged(clients, 50);
      Instant up = Instant.now();
      shards.get("a").execute("INSERT INTO fence VALUES (true)");
      Thread.sleep(150);
      shards.get("a").execute("DELETE FROM fence");
      awaitAcknowledged(clients, clients.acknowledged() + 200);
      clients.stop();
      assertEquals(0, clients.failed(), clients.failures().toString());
      assertTrue(clients.refusedBetween(up, Instant.now()).count() > 0);
      assertEquals(0, clients.refusedBetween(Instant.MIN, up.minusSeconds(60)).count());
    }
    CheckReport report = DemoChecker.check(shards, ledger);
    assertTrue(report.isClean(), report.toString());
  }

  @Test
  void aTransactionWhoseAnswerWasLostIsWhollyThereOrWhollyAbsent() throws Exception {
    try (ShardRouter router = router();
        DemoClients clients = DemoClients.start(router, ledger, 4, 300)) {
      for (int i = 0; i < 20; i++) {
        awaitAcknowledged(clients, clients.acknowledged() + 10);
        shards
            .get("a")
            .executeAsSuperuser(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE usename = 'app' AND datname = current_database()""");
      }
    }
    CheckReport report = DemoChecker.check(shards, ledger);
    assertTrue(report.isClean(), report.toString());
  }

  @Test
  void aTransactionThatIsThereInPartIsFound() throws Exception {
    Optional<RowState> state = ledger.expected(RowKey.tenant(1));
    Change there = new Change(RowKey.tenant(1), Optional.empty(), state);
    Change alsoThere =
        new Change(RowKey.tenant(2), Optional.empty(), ledger.expected(RowKey.tenant(2)));
    Change absent = new Change(RowKey.tenant(1_000_000), Optional.empty(), state);
    Change alsoAbsent = new Change(RowKey.tenant(1_000_001), Optional.empty(), state);
    ledger.doubt(List.of(there, alsoThere));
    ledger.doubt(List.of(absent, alsoAbsent));
    CheckReport whole = DemoChecker.check(shards, ledger);
    assertTrue(whole.isClean(), whole.toString());
    assertEquals(2, whole.unknown());
    ledger.doubt(List.of(there, absent));
    assertEquals(2, DemoChecker.check(shards, ledger).differing());
  }

  private long count(String shard, String condition) throws SQLException {
    return Long.parseLong(
        shards.get(shard).query("SELECT count(*) FROM orders WHERE " + condition).get(0));
  }

  /** Clients that have stopped, after so many transactions at least. */
  private DemoClients write(long transactions) throws Exception {
    try (ShardRouter router = router();
        DemoClients clients = DemoClients.start(router, ledger, 4, 400)) {
      awaitAcknowledged(clients, transactions);
      return clients;
    }
  }

  private static void awaitAcknowledged(DemoClients clients, long transactions)
      throws InterruptedException {
    while (clients.acknowledged() < transactions) {
      Thread.sleep(5);
    }
  }

  private ShardRouter router() throws Exception {
    return ShardRouter.open(
        RouterConfig.of(
                "shop",
                BUCKETS,
                address(shards.get("a")),
                shards.all().stream()
                    .collect(
                        Collectors.toMap(
                            shard -> new ShardId(shard.name()), DemoCheckerIT::address)))
            .withPoolSize(4)
            .withTimeout(Duration.ofSeconds(20)));
  }

  private static DatabaseAddress address(SandboxShard shard) {
    return new DatabaseAddress(shard.url(), SandboxRole.APP.user(), SandboxRole.APP.password());
  }
}
