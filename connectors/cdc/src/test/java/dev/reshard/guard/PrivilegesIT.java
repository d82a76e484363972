package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static dev.reshard.guard.GuardedShard.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** HAZARDS F27: the application's role needs no grant to write tables that are armed. */
class PrivilegesIT {
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

  @Test
  void aRoleWithoutAnyRightOnTheSchemaWritesAndIsRefusedAsAnyOther() throws SQLException {
    execute(a.ours, "REVOKE ALL ON SCHEMA reshard FROM PUBLIC");
    assertEquals("passed", outcome(app, "UPDATE orders SET note = 'y' WHERE customer = 1"));
    assertEquals("passed", outcome(app, "UPDATE orders SET note = 'y' WHERE customer = 5"));
    a.fence(1);
    assertEquals(
        Guard.REFUSED_WRITE, outcome(app, "UPDATE orders SET note = 'y' WHERE customer = 1"));
    assertEquals("passed", outcome(app, "UPDATE orders SET note = 'y' WHERE customer = 5"));
  }

  @Test
  void theApplicationsSettingsDoNotReachTheGuard() throws SQLException {
    a.shard.createSchema("hostile");
    a.shard.execute(
        "CREATE FUNCTION hostile.pg_sequence_last_value(regclass) RETURNS bigint"
            + " LANGUAGE sql AS 'SELECT 0::bigint'",
        "CREATE FUNCTION hostile.always(bigint, bigint) RETURNS boolean"
            + " LANGUAGE sql AS 'SELECT true'",
        "CREATE OPERATOR hostile.= (FUNCTION = hostile.always, LEFTARG = bigint, RIGHTARG = bigint)");
    execute(
        app,
        "SET search_path = hostile, public, pg_catalog",
        "SET standard_conforming_strings = off");
    a.fence(1);
    assertEquals(
        Guard.REFUSED_WRITE,
        outcome(app, "UPDATE orders SET note = 'y' WHERE customer OPERATOR(pg_catalog.=) 1"));
  }

  @Test
  void theApplicationCanReadTheGuardButNotChangeIt() {
    assertEquals("passed", outcome(app, "SELECT last_value FROM reshard.guard_1_until"));
    assertEquals("42501", outcome(app, "SELECT setval('reshard.guard_1_until', 0)"));
    assertEquals("42501", outcome(app, "SELECT nextval('reshard.guard_1_until')"));
    assertEquals("42501", outcome(app, "SELECT setval('reshard.guard_1_broken', 0)"));
    assertEquals("42501", outcome(app, "SELECT nextval('reshard.guard_1_sealed')"));
    assertEquals("42501", outcome(app, "SELECT reshard.guard_lift('shop', 'all/a', 1, 1)"));
    assertEquals("42501", outcome(app, "DELETE FROM reshard.guard"));
  }

  @Test
  void theProbeFindsNothingWrongWithWhatArmingMade() throws SQLException {
    assertEquals(List.of(), Probe.problems(a.ours, a.keyspace, GuardedShard.UNIT));
  }

  @Test
  void theProbeAsksForRightsOfSequencesOnlyWhateverThePlan() throws SQLException {
    execute(a.ours, "SET enable_indexscan = off", "SET enable_bitmapscan = off");
    assertEquals(List.of(), Probe.problems(a.ours, a.keyspace, GuardedShard.UNIT));
  }

  @Test
  void theProbeNamesARoleThatWouldFail() throws SQLException {
    execute(
        a.ours,
        "REVOKE ALL ON SEQUENCE reshard.guard_1_until FROM PUBLIC",
        "REVOKE ALL ON SEQUENCE reshard.guard_1_broken FROM PUBLIC");
    List<String> problems = Probe.problems(a.ours, a.keyspace, GuardedShard.UNIT);
    assertTrue(
        problems.contains(
            "role app may write public.orders but lacks SELECT on sequence reshard.guard_1_until"),
        problems::toString);
    assertTrue(
        problems.contains(
            "role app may write public.orders but lacks USAGE on sequence reshard.guard_1_broken"),
        problems::toString);
    assertTrue(
        problems.stream().anyMatch(line -> line.contains("as role app_owner would fail")),
        problems::toString);
    assertEquals("42501", outcome(app, "UPDATE orders SET note = 'y' WHERE customer = 1"));
  }

  @Test
  void theProbeGoesThroughAClosedGuardAndALockedRow() throws SQLException {
    a.fence(1);
    execute(app, "BEGIN", "SELECT * FROM orders FOR UPDATE");
    assertEquals(List.of(), Probe.problems(a.ours, a.keyspace, GuardedShard.UNIT));
  }
}
