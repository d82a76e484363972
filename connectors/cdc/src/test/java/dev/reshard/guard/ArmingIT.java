package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static dev.reshard.guard.GuardedShard.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.LastingAutovacuum;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ArmingIT {
  private static final String MOVING = "UPDATE orders SET note = 'y' WHERE customer = 1";
  private static final String OBJECTS =
      """
      SELECT * FROM (
        SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE tgname LIKE 'reshard%'
        UNION ALL SELECT relname FROM pg_class WHERE relkind = 'S'
          AND relname ~ '^guard_[0-9]+_'
        UNION ALL SELECT proname FROM pg_proc WHERE proname ~ '^(guard|outside|row)_[0-9]+$') o (n)
      ORDER BY 1""";

  private GuardedShard a;
  private Connection app;

  @BeforeEach
  void create() throws SQLException {
    a =
        GuardedShard.create(
            GuardedShard.A,
            List.of(
                "CREATE TABLE orders (id bigint, customer bigint NOT NULL, note text,"
                    + " PRIMARY KEY (id, customer))",
                "INSERT INTO orders SELECT i, i % 16, 'x' FROM generate_series(0, 159) i",
                "CREATE TABLE parted (customer bigint PRIMARY KEY) PARTITION BY HASH (customer)",
                "CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
                "GRANT TRUNCATE ON parted, parted_0, parted_1 TO app"),
            "orders.customer",
            "parted.customer");
    app = a.app();
  }

  @AfterEach
  void drop() throws SQLException {
    app.close();
    a.close();
  }

  @Test
  void armingAgainTouchesNothingThatIsThere() throws SQLException {
    a.arm();
    List<String> before = a.shard.query("SELECT oid FROM pg_trigger ORDER BY 1");
    execute(app, "BEGIN", MOVING); // arming would have to wait for it
    a.arm();
    execute(app, "COMMIT");
    assertEquals(before, a.shard.query("SELECT oid FROM pg_trigger ORDER BY 1"));
  }

  @Test
  void whatIsDroppedDisabledOrNewIsMissingUntilItIsArmedAgain() throws SQLException {
    a.arm();
    assertEquals(List.of(), missing());
    a.shard.execute(
        "ALTER TABLE orders DISABLE TRIGGER USER",
        "ALTER TABLE parted DETACH PARTITION parted_1",
        "DROP TABLE parted_1",
        "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
    List<String> missing = missing();
    assertTrue(missing.toString().contains("update of public.orders"), missing.toString());
    assertTrue(missing.toString().contains("truncate of public.parted"), missing.toString());
    a.arm();
    assertEquals(List.of(), missing());
  }

  /** HAZARDS F9: a message names its row by the key that changes of it say. */
  @Test
  void aFunctionThatTellsRowsByAnotherKeyThanTheTableHasNowIsMissing() throws SQLException {
    a.arm();
    a.shard.execute(
        "ALTER TABLE orders ADD part int NOT NULL DEFAULT 0",
        "CREATE UNIQUE INDEX by_part ON orders (id, part, customer)",
        "ALTER TABLE orders REPLICA IDENTITY USING INDEX by_part");
    assertEquals(List.of("the function that tells rows of public.orders by their key"), missing());
    a.arm();
    assertEquals(List.of(), missing());
  }

  /** Two would tell its rows by the columns of one, then of the other. */
  @Test
  void aTableOfAnotherMigrationIsNotArmedWhateverItsKeyspace() throws SQLException {
    a.arm();
    List<String> before = a.shard.query(OBJECTS);
    WorkerIdentity worker = new WorkerIdentity("second", 1, Marker.random());
    ShardSchema.takeLease(a.ours, worker);
    Keyspace other =
        new Keyspace(
            "other",
            a.keyspace.partitioning(),
            List.of(new ShardedTable(new TableId("public", "parted"), "customer")),
            List.of());
    Arming second = new Arming(other, worker, Patience.POLITE);
    Unit unit = new Unit("second", "all/a", GuardedShard.UNIT.moves());
    SQLException refused =
        assertThrows(SQLException.class, () -> second.arm(a.ours, GuardedShard.A, unit, 1));
    assertEquals("RS004", refused.getSQLState());
    assertTrue(
        refused
            .getMessage()
            .contains("migration shop of keyspace shop moves rows of public.parted on this shard"),
        refused.getMessage());
    assertEquals(before, a.shard.query(OBJECTS));
    a.arm();
    a.arming().disarm(a.ours, GuardedShard.A, GuardedShard.UNIT, GuardedShard.MAP);
    second.arm(a.ours, GuardedShard.A, unit, 1);
  }

  private List<String> missing() throws SQLException {
    return new Arming(a.keyspace, a.worker, Patience.POLITE)
        .missing(a.ours, GuardedShard.A, GuardedShard.UNIT);
  }

  @Test
  void armingAgainKeepsTheStateOfTheGuard() throws SQLException {
    a.arm();
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    a.arm();
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
  }

  @Test
  void whoIsInTheWayIsNamedWhenPatienceEnds() throws SQLException {
    execute(app, "BEGIN", MOVING);
    TableBusyException busy =
        assertThrows(
            TableBusyException.class,
            () -> impatient().arm(a.ours, GuardedShard.A, GuardedShard.UNIT, 1));
    assertEquals(
        List.of(ShardSessions.pid(app)), busy.holders().stream().map(Writer::pid).toList());
    assertTrue(busy.getMessage().contains("public.orders"), busy.getMessage());
    execute(app, "COMMIT");
    a.arm();
  }

  @Test
  void anAutovacuumInTheWayIsEndedByTheServer() throws Exception {
    String fill = "INSERT INTO orders SELECT i, i % 16, 'x' FROM generate_series(1000, 50999) i";
    try (LastingAutovacuum autovacuum = LastingAutovacuum.of(a.shard, "orders", fill)) {
      assertTrue(autovacuum.isRunning());
      impatient().arm(a.ours, GuardedShard.A, GuardedShard.UNIT, 1);
    }
  }

  @Test
  void whoIsPreparedInTheWayIsNamedToo() throws SQLException {
    String gid = "gid " + a.shard.database();
    execute(app, "BEGIN", MOVING, "PREPARE TRANSACTION '" + gid + "'");
    TableBusyException busy =
        assertThrows(
            TableBusyException.class,
            () -> impatient().arm(a.ours, GuardedShard.A, GuardedShard.UNIT, 1));
    assertEquals(gid, busy.holders().get(0).gid().orElseThrow());
    execute(app, "ROLLBACK PREPARED '" + gid + "'");
  }

  /** HAZARDS F11: VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY hold this lock for hours. */
  @Test
  void whileVacuumHoldsItsLockArmingRetriesAndWritersGoOn() throws Exception {
    ExecutorService other = Executors.newSingleThreadExecutor();
    try (Connection vacuum = a.shard.connectAsOwner()) {
      execute(vacuum, "BEGIN", "LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE");
      Future<?> arming =
          other.submit(
              () -> {
                a.arm();
                return null;
              });
      execute(app, "SET lock_timeout = '10s'");
      for (int i = 0; i < 100; i++) {
        execute(app, MOVING);
        Load.sleep(20);
      }
      assertTrue(!arming.isDone());
      execute(vacuum, "COMMIT");
      arming.get();
      assertEquals(Guard.REFUSED_WRITE, fencedOutcome());
    } finally {
      other.shutdownNow();
    }
  }

  @Test
  void aFenceDoesNotWaitForVacuum() throws SQLException {
    a.arm();
    try (Connection vacuum = a.shard.connectAsOwner()) {
      execute(vacuum, "BEGIN", "LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE");
      assertEquals(Guard.REFUSED_WRITE, fencedOutcome());
      execute(vacuum, "ROLLBACK");
    }
  }

  /** HAZARDS F10: bytes stop between worker and shard at any moment of arming and disarming. */
  @Test
  void aWorkerThatFreezesHoldsNoTableLock() throws Exception {
    Random random = new Random(3);
    execute(app, "SET lock_timeout = '10s'");
    for (int round = 0; round < 8; round++) {
      try (TcpProxy proxy = TcpProxy.to(a.shard.server());
          Connection frozen = through(proxy)) {
        Thread worker = new Thread(() -> armAndDisarm(frozen), "frozen");
        worker.start();
        Load.sleep(random.nextInt(300));
        proxy.stall();
        execute(app, MOVING, "TRUNCATE parted"); // conflicts with any lock on that table
        proxy.cut();
        worker.join();
      }
    }
  }

  @Test
  void disarmingLeavesNothingOfAGuardThatIsOpen() throws SQLException {
    List<String> before = a.shard.query(OBJECTS);
    a.arm();
    a.arming().armOutside(a.ours, GuardedShard.A, GuardedShard.MAP);
    a.arming().disarm(a.ours, GuardedShard.A, GuardedShard.UNIT, GuardedShard.MAP);
    assertEquals(before, a.shard.query(OBJECTS));
    assertEquals(List.of(), Outside.remaining(a.ours));
    assertEquals(List.of("0"), a.shard.query("SELECT count(*) FROM reshard.guard"));
    assertEquals(List.of("0"), a.shard.query("SELECT count(*) FROM reshard.guard_outside"));
  }

  @Test
  void disarmingTwiceIsDisarmingOnce() throws SQLException {
    a.arm();
    a.arming().disarm(a.ours, GuardedShard.A, GuardedShard.UNIT, GuardedShard.MAP);
    a.arming().disarm(a.ours, GuardedShard.A, GuardedShard.UNIT, GuardedShard.MAP);
  }

  @Test
  void aFencedGuardIsNotDisarmed() throws SQLException {
    a.arm();
    a.fence(1);
    GuardIT.assertRefusedCall(
        Guard.WRONG_STATE,
        () -> a.arming().disarm(a.ours, GuardedShard.A, GuardedShard.UNIT, GuardedShard.MAP));
  }

  @Test
  void bucketsThatLeftStayGuardedAfterDisarmingUntilTheyComeBack() throws SQLException {
    a.arm();
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 2));
    var after = GuardedShard.MAP.with(GuardedShard.UNIT.moves(), 2);
    a.arming().disarm(a.ours, GuardedShard.A, GuardedShard.UNIT, after);
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
    assertEquals("passed", outcome(app, "INSERT INTO orders VALUES (1000, 9, '')"));
    assertEquals(BucketSet.of(0, 1, 2), Outside.remaining(a.ours).get(0).buckets());
    assertEquals("passed", outcome(app, "UPDATE orders SET note = 'y' WHERE customer = 5"));

    Unit back =
        new Unit(
            "back", "all/b", List.of(new Move(GuardedShard.B, GuardedShard.A, BucketSet.of(0, 1))));
    var worker = new WorkerIdentity("back", 1, a.worker.marker());
    ShardSchema.takeLease(a.ours, worker);
    Arming arming = new Arming(a.keyspace, worker, Patience.POLITE);
    arming.arm(a.ours, GuardedShard.A, back, 2);
    arming.armOutside(a.ours, GuardedShard.A, after);
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
    new Guard(back, worker).open(a.ours, 1, 3);
    assertEquals("passed", outcome(app, MOVING));
    arming.disarm(a.ours, GuardedShard.A, back, after.with(back.moves(), 3));
    assertEquals(BucketSet.of(2), Outside.remaining(a.ours).get(0).buckets());
    assertEquals("passed", outcome(app, MOVING));
    arming.dropOutside(a.ours);
    assertEquals(List.of(), a.shard.query(OBJECTS));
  }

  /** HAZARDS F29. */
  @Test
  void aBucketThatTheShardDoesNotOwnIsRefusedWhetherOrNotItMoves() throws SQLException {
    a.arm();
    a.arming().armOutside(a.ours, GuardedShard.A, GuardedShard.MAP);
    SQLException refused =
        assertThrows(
            SQLException.class,
            () -> execute(app, "UPDATE orders SET customer = 9 WHERE customer = 5"));
    assertEquals(Guard.REFUSED_WRITE, refused.getSQLState());
    assertTrue(refused.getMessage().contains("bucket 9 belongs to shard b since epoch 1"));
    assertEquals("passed", outcome(app, MOVING));
    assertEquals("passed", outcome(app, "UPDATE orders SET customer = 6 WHERE customer = 5"));
  }

  @Test
  void aDestinationIsClosedUntilItIsOpened() throws SQLException {
    try (GuardedShard b =
            GuardedShard.create(
                GuardedShard.B,
                List.of("CREATE TABLE orders (customer bigint PRIMARY KEY)"),
                "orders.customer");
        Connection client = b.app()) {
      b.arm();
      SQLException refused =
          assertThrows(SQLException.class, () -> execute(client, "INSERT INTO orders VALUES (16)"));
      assertTrue(refused.getMessage().contains("bucket 0 belongs to shard a since epoch 1"));
      assertEquals("passed", outcome(client, "INSERT INTO orders VALUES (9)"));
      b.guard.open(b.ours, 1, 2);
      assertEquals("passed", outcome(client, "INSERT INTO orders VALUES (16)"));
    }
  }

  private Arming impatient() {
    return new Arming(
        a.keyspace, a.worker, new Patience(Duration.ofMillis(50), Duration.ofMillis(300)));
  }

  private String fencedOutcome() throws SQLException {
    a.fence(1);
    return outcome(app, MOVING);
  }

  private Connection through(TcpProxy proxy) throws SQLException {
    String url =
        "jdbc:postgresql://%s:%d/%s".formatted(proxy.host(), proxy.port(), a.shard.database());
    return new ShardSessions(
            "shop",
            List.of(
                new ShardAddress(
                    GuardedShard.A,
                    url,
                    SandboxRole.RESHARD.user(),
                    SandboxRole.RESHARD.password())))
        .open(GuardedShard.A, "frozen");
  }

  /** Until the connection breaks. */
  private void armAndDisarm(Connection connection) {
    try {
      while (true) {
        a.arming().arm(connection, GuardedShard.A, GuardedShard.UNIT, 1);
        a.arming().disarm(connection, GuardedShard.A, GuardedShard.UNIT, GuardedShard.MAP);
      }
    } catch (SQLException broken) {
      assertTrue(!"RS002".equals(broken.getSQLState()), broken::getMessage);
    }
  }
}
