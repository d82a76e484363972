package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static dev.reshard.guard.GuardedShard.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Transactions that began before the fence, or before the guard existed. */
class OldTransactionsIT {
  private static final String MOVING = "UPDATE orders SET note = 'y' WHERE customer = 1";
  private static final String STAYING = "UPDATE orders SET note = 'y' WHERE customer = 5";
  private static final Duration BRIEFLY = Duration.ofMillis(50);
  private static final Duration LONG = Duration.ofSeconds(20);

  private GuardedShard a;
  private Connection app;

  @BeforeEach
  void arm() throws SQLException {
    a = GuardedShard.withOrders();
    app = a.app();
  }

  @AfterEach
  void drop() throws SQLException {
    app.close();
    a.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"REPEATABLE READ", "SERIALIZABLE"})
  void aSnapshotOlderThanTheGuardSeesTheFence(String level) throws SQLException {
    try (GuardedShard unarmed =
            GuardedShard.create(
                GuardedShard.A,
                List.of("CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, note text)"),
                "orders.customer");
        Connection old = unarmed.app();
        PreparedStatement plan = old.prepareStatement("INSERT INTO orders VALUES (?, ?, '')")) {
      for (int i = 0; i < 10; i++) {
        plan.setLong(1, i);
        plan.setLong(2, 1);
        plan.execute();
      }
      execute(old, "BEGIN ISOLATION LEVEL " + level, "SELECT count(*) FROM orders");
      unarmed.arm();
      unarmed.fence(1);
      plan.setLong(1, 99);
      assertEquals(Guard.REFUSED_WRITE, stateOf(plan));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"REPEATABLE READ", "SERIALIZABLE"})
  void aSnapshotOlderThanTheSealIsToldTheOwnerAndEpoch(String level) throws SQLException {
    execute(app, "BEGIN ISOLATION LEVEL " + level, "SELECT count(*) FROM orders");
    a.fence(1);
    assertTrue(a.guard.seal(a.ours, 1, 7));
    SQLException refused = assertThrows(SQLException.class, () -> execute(app, MOVING));
    assertTrue(refused.getMessage().contains("belongs to shard b since epoch 7"));
  }

  @Test
  void aPreparedStatementWithAnOldPlanIsRefused() throws SQLException {
    try (PreparedStatement plan = app.prepareStatement(MOVING)) {
      for (int i = 0; i < 10; i++) {
        plan.execute();
      }
      a.fence(1);
      assertEquals(Guard.REFUSED_WRITE, stateOf(plan));
    }
  }

  @Test
  void aWriterFromBeforeTheFenceIsWaitedForByName() throws SQLException {
    execute(app, "BEGIN", MOVING);
    a.guard.fence(a.ours, 1, GuardedShard.BUDGET);
    List<Writer> left = a.guard.waitForWriters(a.ours, BRIEFLY);
    assertEquals(1, left.size());
    assertEquals("app", left.get(0).role());
    assertEquals(pid(app), left.get(0).pid());
    execute(app, "COMMIT");
    assertEquals(List.of(), a.guard.waitForWriters(a.ours, LONG));
  }

  @Test
  void aWriterThatWroteInARolledBackSavepointIsWaitedForNoLongerThanItLives() throws SQLException {
    execute(app, "BEGIN", "SAVEPOINT s", MOVING, "ROLLBACK TO s", "SAVEPOINT t", STAYING);
    a.guard.fence(a.ours, 1, GuardedShard.BUDGET);
    assertEquals(1, a.guard.waitForWriters(a.ours, BRIEFLY).size());
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
    execute(app, "ROLLBACK TO t", "COMMIT");
    assertEquals(List.of(), a.guard.waitForWriters(a.ours, LONG));
  }

  @Test
  void aTransactionThatWroteNothingYetIsNotWaitedForAndSeesTheFence() throws SQLException {
    execute(app, "BEGIN", "UPDATE orders SET note = '' WHERE customer = 99");
    a.guard.fence(a.ours, 1, GuardedShard.BUDGET);
    assertEquals(List.of(), a.guard.waitForWriters(a.ours, LONG));
    assertEquals(Guard.REFUSED_WRITE, outcome(app, MOVING));
  }

  @Test
  void readersAndVacuumAreNotWaitedFor() throws SQLException {
    try (Connection owner = a.shard.connectAsOwner()) {
      execute(app, "BEGIN", "SELECT * FROM orders FOR SHARE");
      execute(
          owner,
          "BEGIN",
          "SELECT pg_current_xact_id()",
          "LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE");
      a.guard.fence(a.ours, 1, GuardedShard.BUDGET);
      assertEquals(List.of(), a.guard.waitForWriters(a.ours, LONG));
      execute(owner, "ROLLBACK");
    }
  }

  @Test
  void aPreparedTransactionIsWaitedForByItsName() throws SQLException {
    String gid = "gid " + a.shard.database();
    execute(app, "BEGIN", MOVING, "PREPARE TRANSACTION '" + gid + "'");
    a.guard.fence(a.ours, 1, GuardedShard.BUDGET);
    List<Writer> left = a.guard.waitForWriters(a.ours, BRIEFLY);
    assertEquals(List.of(gid), left.stream().map(writer -> writer.gid().orElse("")).toList());
    execute(app, "COMMIT PREPARED '" + gid + "'");
    assertEquals(List.of(), a.guard.waitForWriters(a.ours, LONG));
  }

  @Test
  void aWriterThatIsPreparedDuringTheWaitIsStillWaitedFor() throws Exception {
    String gid = "gid " + a.shard.database();
    execute(app, "BEGIN", MOVING);
    a.guard.fence(a.ours, 1, GuardedShard.BUDGET);
    Thread preparer =
        new Thread(
            () -> {
              try {
                Thread.sleep(200);
                execute(app, "PREPARE TRANSACTION '" + gid + "'");
              } catch (SQLException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    preparer.start();
    List<Writer> left = a.guard.waitForWriters(a.ours, Duration.ofSeconds(1));
    preparer.join();
    assertEquals(List.of(gid), left.stream().map(writer -> writer.gid().orElse("")).toList());
    execute(app, "ROLLBACK PREPARED '" + gid + "'");
  }

  private static int pid(Connection connection) throws SQLException {
    return ShardSessions.pid(connection);
  }

  private static String stateOf(PreparedStatement statement) {
    try {
      statement.execute();
      return "passed";
    } catch (SQLException e) {
      return e.getSQLState();
    }
  }
}
