package dev.reshard.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.CleanupRegistry.Item;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.sandbox.TcpProxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ControlStoreIT {
  private static final Set<Command> ALL = EnumSet.allOf(Command.class);

  private static final ShardedTable ORDERS =
      new ShardedTable(new TableId("public", "orders"), "tenant_id");
  private static final ShardedTable ITEMS =
      new ShardedTable(new TableId("public", "items"), "tenant_id");
  private static final TableId PLANS = new TableId("public", "plans");
  private static final HashBuckets BUCKETS =
      new HashBuckets(HashBuckets.Function.MODULO, ControlScene.BUCKETS);

  private ControlScene scene;
  private ControlStore store;
  private WorkerLease lease;

  @BeforeEach
  void aMigrationWithAWorker() throws SQLException {
    scene = new ControlScene();
    store = scene.store("shop");
    store.create("shop", ControlScene.moves(1, 2), ControlScene.BUCKETS);
    lease = scene.lease("shop");
    assertEquals(Optional.of(1L), lease.acquire("first"));
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @Test
  void whatWasStoredIsReadBack() throws SQLException {
    MigrationRecord stored = store.load().orElseThrow();
    assertEquals(MigrationState.PENDING, stored.state());
    assertEquals(ControlScene.moves(1, 2), stored.moves());
    assertEquals(store.units(), stored.units());
    assertEquals(
        new StageUnit(ControlScene.A, ControlScene.B, Place.AT_SOURCE, Direction.FORWARD, 0, 0),
        stored.units().get(0));
    assertEquals(Optional.empty(), scene.store("other").load());
  }

  @Test
  void aMoveIsStoredWithWhoAndWhy() throws SQLException {
    store.moveTo(MigrationState.PENDING, MigrationState.PREPARING, 1, "me", "asked");
    assertEquals(MigrationState.PREPARING, store.state());
    ControlStore.Transition line = store.transitions(10).get(0);
    assertEquals(List.of("me", "asked"), List.of(line.who(), line.why()));
  }

  @Test
  void anIllegalMoveIsRefusedAndChangesNothing() {
    assertChangesNothing(
        IllegalStateException.class,
        () -> store.moveTo(MigrationState.PENDING, MigrationState.COPYING, 1, "me", "hurry"));
  }

  @Test
  void aMoveFromAStateThatHasPassedIsRefusedAndChangesNothing() throws SQLException {
    store.moveTo(MigrationState.PENDING, MigrationState.PREPARING, 1, "me", "asked");
    assertChangesNothing(
        LeaseLostException.class,
        () -> store.moveTo(MigrationState.PENDING, MigrationState.PREPARING, 1, "me", "again"));
  }

  @Test
  void aPausedMigrationKnowsWhereItCameFrom() throws SQLException {
    store.moveTo(MigrationState.PENDING, MigrationState.PREPARING, 1, "me", "asked");
    assertEquals(Optional.empty(), store.stateBeforePause());
    store.moveTo(MigrationState.PREPARING, MigrationState.PAUSED, 1, "me", "lunch");
    assertEquals(Optional.of(MigrationState.PREPARING), store.stateBeforePause());
    store.moveTo(MigrationState.PAUSED, MigrationState.PREPARING, 1, "me", "back");
    assertEquals(Optional.empty(), store.stateBeforePause());
  }

  @Test
  void aUnitThatIsMovedTwiceByTheSameWorkerIsMovedOnce() throws SQLException {
    StageUnit was = store.units().get(0);
    StageUnit fenced = was.fenced(Direction.FORWARD, 2);
    int[] written = new int[1];
    for (int i = 0; i < 2; i++) {
      store.moveUnit(was, fenced, 1, session -> written[0]++);
    }
    assertEquals(List.of(fenced, 1), List.of(store.units().get(0), written[0]));
    assertThrows(LeaseLostException.class, () -> store.moveUnit(was, fenced, 2));
  }

  @Test
  void whatIsWrittenWithAUnitIsWrittenWithItOrNotAtAll() throws SQLException {
    StageUnit was = store.units().get(0);
    assertThrows(
        SQLException.class,
        () ->
            store.moveUnit(
                was,
                was.fenced(Direction.FORWARD, 2),
                1,
                session -> {
                  throw new SQLException("the map is away");
                }));
    assertEquals(was, store.units().get(0));
  }

  @Test
  void aUnitIsReplacedOnlyAsItWas() throws SQLException {
    StageUnit before = store.units().get(0);
    StageUnit fenced = before.fenced(Direction.FORWARD, 7);
    store.moveUnit(before, fenced, 1);
    assertEquals(List.of(fenced), store.units());
    assertChangesNothing(
        LeaseLostException.class, () -> store.moveUnit(before, before.at(Place.DECIDED), 1));
  }

  @Test
  void onlyTheWorkerWithTheLeaseSaysWhichColumnsAreLeftOut() throws SQLException {
    Map<TableId, Set<String>> one = Map.of(new TableId("s", "a.b"), Set.of("note", "c"));
    assertEquals(Map.of(), store.leftOut().read());
    store.leftOut().save(one, 1);
    assertEquals(one, store.leftOut().read());
    assertThrows(LeaseLostException.class, () -> store.leftOut().save(Map.of(), 2));
    assertEquals(one, store.leftOut().read());
    Map<TableId, Set<String>> other = Map.of(new TableId("s.a", "b"), Set.of("note"));
    store.leftOut().save(other, 1);
    assertEquals(other, store.leftOut().read());
  }

  /** Whatever the file's patterns match later: of a new table no row was copied. */
  @Test
  void aMigrationKeepsTheTablesThatItBeganWith() throws SQLException {
    Keyspace begun = keyspace(List.of(ORDERS, ITEMS), List.of(PLANS));
    assertEquals(begun, store.movedTables().keep(begun));
    ShardedTable invoices = new ShardedTable(new TableId("public", "invoices"), "tenant_id");
    TableId rates = new TableId("public", "rates");
    assertEquals(
        begun,
        store
            .movedTables()
            .keep(keyspace(List.of(invoices, ORDERS, ITEMS), List.of(PLANS, rates))));
    Keyspace fewer = keyspace(List.of(ORDERS), List.of());
    assertEquals(fewer, store.movedTables().keep(fewer)); // others were dropped
    Keyspace other = keyspace(List.of(new ShardedTable(ORDERS.id(), "id"), ITEMS), List.of());
    String why =
        assertThrows(RefusedException.class, () -> store.movedTables().keep(other)).getMessage();
    assertTrue(why.contains("public.orders as a sharded one by id"), why);
  }

  private static Keyspace keyspace(List<ShardedTable> sharded, List<TableId> reference) {
    return new Keyspace("shop", BUCKETS, sharded, reference);
  }

  @Test
  void bucketsOfAnotherMigrationCannotBeClaimed() throws SQLException {
    ControlStore other = scene.store("other");
    RefusedException refused =
        assertThrows(
            RefusedException.class,
            () -> other.create("shop", ControlScene.moves(2, 3), ControlScene.BUCKETS));
    assertTrue(refused.getMessage().contains("[shop]"), refused.getMessage());
    assertEquals(Optional.empty(), other.load(), "nothing of it is stored");
    other.create("books", ControlScene.moves(2, 3), ControlScene.BUCKETS);
    store.releaseClaims();
    ControlStore third = scene.store("third");
    assertThrows(
        RefusedException.class,
        () -> third.create("shop", ControlScene.moves(2, 3), ControlScene.BUCKETS),
        "one migration of a keyspace at a time");
  }

  @Test
  void aSecondWorkerWaitsAndTakesOverWithAHigherNumber() throws SQLException {
    WorkerLease second = scene.lease("shop");
    assertEquals(Optional.empty(), second.acquire("second"));
    assertEquals(Optional.of("first"), second.holder());
    scene.runOut("shop");
    assertEquals(Optional.empty(), second.holder());
    assertEquals(Optional.of(2L), second.acquire("second"));
    assertTrue(second.isHeld());
    assertEquals(Optional.of("second"), second.holder());
  }

  @Test
  void aLeaseThatRanOutIsToldFromOneThatWasTakenOver() throws Exception {
    lease.close();
    try (TcpProxy proxy = TcpProxy.to(scene.control().server());
        WorkerLease far = scene.leaseThrough(proxy, "shop")) {
      far.acquire("far");
      far.requireHeld();
      proxy.cut();
      awaitLost(far);
      assertThrows(LeaseRanOutException.class, far::requireHeld);
      proxy.heal(); // it is given up in good order
    }
    WorkerLease first = scene.lease("shop");
    assertEquals(Optional.of(3L), first.acquire("first"));
    scene.runOut("shop");
    assertEquals(Optional.of(4L), scene.lease("shop").acquire("second"));
    awaitLost(first);
    assertEquals(
        LeaseLostException.class,
        assertThrows(LeaseLostException.class, first::requireHeld).getClass());
  }

  private static void awaitLost(WorkerLease lease) throws InterruptedException {
    while (lease.isHeld()) {
      TimeUnit.MILLISECONDS.sleep(50); // it looks twice a second
    }
  }

  @Test
  void whatASupersededWorkerWritesIsRefused() throws SQLException {
    scene.runOut("shop");
    assertEquals(Optional.of(2L), scene.lease("shop").acquire("second"));
    StageUnit unit = store.units().get(0);
    assertChangesNothing(
        LeaseLostException.class,
        () -> store.moveTo(MigrationState.PENDING, MigrationState.PREPARING, 1, "me", "late"));
    assertChangesNothing(
        LeaseLostException.class, () -> store.moveUnit(unit, unit.fenced(Direction.FORWARD, 2), 1));
    store.moveTo(MigrationState.PENDING, MigrationState.PREPARING, 2, "second", "in time");
  }

  @Test
  void aLeaseThatIsGivenUpIsFreeAtOnce() throws SQLException {
    lease.close();
    assertEquals(Optional.of(2L), scene.lease("shop").acquire("second"));
  }

  @Test
  void requestsAreServedInOrderUnlessWithdrawnOrTooOld() throws SQLException {
    Requests requests = store.requests();
    Duration patience = Duration.ofMinutes(1);
    long withdrawn = requests.ask(Command.CUTOVER, "", "me", patience);
    requests.ask(Command.VERIFY, "", "me", Duration.ofMillis(-1));
    long served = requests.ask(Command.VERIFY, "", "you", patience);
    long later = requests.ask(Command.CANCEL, "why", "me", patience);
    assertTrue(requests.withdraw(withdrawn));
    assertEquals(Optional.empty(), scene.store("other").requests().next(ALL));

    Request next = requests.next(ALL).orElseThrow();
    assertEquals(new Request(served, Command.VERIFY, "", "you"), next);
    assertEquals(
        new Request(later, Command.CANCEL, "why", "me"),
        requests.next(Command.URGENT).orElseThrow());
    assertFalse(requests.begin(new Request(withdrawn, Command.CUTOVER, "", "me")), "taken back");
    assertTrue(requests.begin(next));
    assertFalse(requests.withdraw(served), "the worker has begun");
    requests.say(next, "begun");
    assertEquals(Optional.empty(), requests.read(served).exitCode());
    requests.say(next, "done");
    requests.answer(next, 3);
    assertEquals(
        new Requests.Answer(List.of("begun", "done"), Optional.of(3)), requests.read(served));
    assertEquals(later, requests.next(ALL).orElseThrow().id());
  }

  @Test
  void whoChangesHisMindEndsWhatWasAskedBefore() throws SQLException {
    Requests requests = store.requests();
    Duration patience = Duration.ofMinutes(1);
    long resume = requests.ask(Command.RESUME, "", "me", patience);
    long pause = requests.ask(Command.PAUSE, "", "you", patience);
    Request urgent = requests.next(Command.URGENT).orElseThrow();
    requests.supersede(urgent);
    assertEquals(Optional.of(4), requests.read(resume).exitCode());
    assertEquals(pause, requests.next(ALL).orElseThrow().id());
  }

  @Test
  void aShardKeepsItsOrdinalInAllMigrations() throws SQLException {
    assertEquals(0, store.ordinal("shop", ControlScene.B));
    assertEquals(1, scene.store("other").ordinal("shop", ControlScene.A));
    assertEquals(0, scene.store("other").ordinal("shop", ControlScene.B));
    assertEquals(0, store.ordinal("books", ControlScene.A));
  }

  @Test
  void thingsAreUndoneInTheOrderOfTheirKinds() throws SQLException {
    CleanupRegistry registry = store.registry();
    List<Kind> kinds = Arrays.asList(Kind.values());
    for (int i = kinds.size() - 1; i >= 0; i--) {
      registry.register(ControlScene.A, kinds.get(i), "x", "first");
      registry.register(ControlScene.A, kinds.get(i), "x", "second");
      registry.register(ControlScene.B, kinds.get(i), "x", "");
    }
    List<Item> items = registry.items();
    assertEquals(
        kinds.stream().flatMap(kind -> java.util.stream.Stream.of(kind, kind)).toList(),
        items.stream().map(Item::kind).toList());
    assertEquals("first", items.get(0).undo(), "the first to know how it was");
    assertEquals("replication slot x on a", items.get(0).toString());
    registry.undone(items.get(0));
    assertEquals(items.subList(1, items.size()), registry.items());
    assertEquals(List.of(), scene.store("other").registry().items());
  }

  @Test
  void theSchemaIsUndoneLastFirstAndCanBeLeftForGood() throws SQLException {
    CleanupRegistry registry = store.registry();
    for (String name : new String[] {"type", "table", "index", "never made"}) {
      registry.register(ControlScene.A, Kind.SCHEMA_OBJECT, name, "");
      registry.register(ControlScene.B, Kind.SCHEMA_OBJECT, name, "");
    }
    registry.register(ControlScene.B, Kind.INDEX, "type", "");
    registry.forget(ControlScene.A, Kind.SCHEMA_OBJECT, "never made");
    registry.forget(ControlScene.B, Kind.SCHEMA_OBJECT);
    assertEquals(
        List.of(
            "index type on b",
            "schema object index on a",
            "schema object table on a",
            "schema object type on a"),
        registry.items().stream().map(Item::toString).toList());
  }

  private interface Act {
    void run() throws SQLException;
  }

  private void assertChangesNothing(Class<? extends Exception> refusal, Act act) {
    String before = everything();
    assertThrows(refusal, act::run);
    assertEquals(before, everything());
  }

  private String everything() {
    try {
      return scene
          .control()
          .query(
              """
              SELECT m::text FROM reshard.migration m UNION ALL SELECT u::text FROM reshard.stage_unit u
              UNION ALL SELECT t::text FROM reshard.transition t ORDER BY 1""")
          .toString();
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }
}
