package dev.reshard.schema;

import static dev.reshard.schema.SchemaScene.A;
import static dev.reshard.schema.SchemaScene.B;
import static dev.reshard.schema.SchemaScene.C;
import static dev.reshard.schema.SchemaScene.assertHas;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.CleanupRegistry.Item;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.RefusedException;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shards a and b are sources, c is the destination. */
@Timeout(120)
class SchemaCopyIT {
  private static final Keyspace EVERYTHING = SchemaScene.everything();
  private static final Keyspace ORDERS =
      SchemaScene.keyspace("customer", List.of("public.orders"), List.of());

  private static final String ORDERS_DDL =
      """
      CREATE TABLE orders (customer bigint NOT NULL, id bigint, note text, PRIMARY KEY (id, customer));
      CREATE INDEX of_note ON orders (note)""";

  /** The only function of {@link SchemaScene#makeEverything} that nothing needs. */
  private static final String UNUSED = "shop.unused()";

  private SchemaScene scene;

  @BeforeEach
  void startShards() throws SQLException {
    scene = new SchemaScene();
  }

  @AfterEach
  void dropShards() throws SQLException {
    scene.close();
  }

  @Test
  void everythingIsMadeAsItIsOnTheSource() throws Exception {
    scene.makeEverything(A);
    SchemaPlan plan = scene.plan(EVERYTHING);
    assertEquals(List.of(), plan.problems());
    assertNotes(
        plan,
        "c: will be made as on a: 2 schema",
        "c: sequence shop.numbers: it belongs to no column, so it gets no range of its own",
        "c: materialized view shop.totals: it is made without rows",
        "c: not made, as nothing that is made is seen to need it: function shop.unused();");
    assertEquals(
        List.of(), scene.listing(C).stream().filter(line -> line.contains("shop")).toList());

    scene.run(EVERYTHING);

    assertSame(scene.listing(A), scene.listing(C));
    SchemaPlan again = scene.plan(EVERYTHING);
    assertEquals(List.of(), again.steps());
    assertEquals(List.of(), again.problems());
    assertNotes(again, "c: not made, as nothing");
  }

  @Test
  void aRunThatDiesAfterAnyStepIsFinishedByTheNextAndAllOfItCanBeUndone() throws Exception {
    scene.makeEverything(A);
    List<String> empty = scene.listing(C);
    int steps = scene.plan(EVERYTHING).steps().size();
    for (int died : new int[] {1, steps / 3, steps * 2 / 3, steps - 1}) {
      SchemaPlan plan = scene.plan(EVERYTHING);
      scene.make(
          new SchemaPlan(
              C, plan.steps().subList(0, died), plan.impossible(), plan.differences(), List.of()));
      SchemaPlan rest = scene.plan(EVERYTHING);
      assertEquals(names(plan).subList(died, steps), names(rest), "after " + died);
      assertEquals(List.of(), rest.problems(), "after " + died);

      scene.run(EVERYTHING);
      assertSame(scene.listing(A), scene.listing(C));

      for (Item item : scene.registry.items()) {
        scene.undo(item);
      }
      assertEquals(empty, scene.listing(C), "after " + died);
    }
  }

  /**
   * What catches up updates rows in an order of its own: a full page would split or be searched.
   */
  @Test
  void indexesAreBuiltWithRoomInTheirPagesAndAreRebuiltAsFullAsAnyOther() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    scene.make(scene.plan(ORDERS).beforeRows());
    scene.shard(C).execute("INSERT INTO orders SELECT i, i, i FROM generate_series(1, 20000) i");
    scene.run(ORDERS);
    String size = "SELECT pg_indexes_size('orders')";
    long built = Long.parseLong(scene.shard(C).query(size).get(0));
    scene.shard(C).execute("REINDEX TABLE orders");
    long rebuilt = Long.parseLong(scene.shard(C).query(size).get(0));
    assertTrue(built > rebuilt * 1.15, built + " bytes against " + rebuilt);
  }

  @Test
  void aTableThatWasThereIsLeftAsItIsAndWhatItLacksIsNamed() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    scene
        .shard(A)
        .execute(
            "CREATE TABLE items (customer bigint NOT NULL, price int DEFAULT 7 CHECK (price > 0))",
            "ALTER TABLE items ADD FOREIGN KEY (price, customer) REFERENCES orders",
            "COMMENT ON TABLE orders IS 'ours'");
    scene
        .shard(C)
        .execute(
            "CREATE TABLE items (customer bigint NOT NULL, price int)",
            "CREATE INDEX of_price ON items (price)",
            "INSERT INTO items VALUES (1, -1)");
    Keyspace both =
        SchemaScene.keyspace("customer", List.of("public.orders", "public.items"), List.of());
    List<String> before = ofItems();

    List<String> lines = scene.check(both, A);
    assertHas(
        lines, "BLOCKER  c: TABLE public.items is there, but lacks its defaults of public.items");
    assertHas(
        lines,
        "BLOCKER  c: TABLE public.items is there, but lacks its constraint items_price_check ON public.items");
    assertHas(lines, "BLOCKER  c: TABLE public.items is there, but lacks its foreign key");
    assertHas(lines, "note  c: TABLE public.items has index public.of_price there, which a lacks");
    scene.run(both);

    assertEquals(before, ofItems());
    assertEquals(
        List.of("ours"), scene.shard(C).query("SELECT obj_description('orders'::regclass)"));
    assertEquals(List.of(), scene.plan(both).steps());
  }

  @Test
  void tablesWhoseNamesWithADotAreAlikeDoNotShareTheirIgnoredColumns() throws Exception {
    TableId one = new TableId("s", "t.u");
    TableId other = new TableId("s.t", "u");
    scene.close();
    scene = new SchemaScene(Map.of(one, Set.of("note")));
    for (ShardId shard : List.of(A, C)) {
      scene.shard(shard).createSchema("s");
      scene.shard(shard).createSchema("\"s.t\"");
      for (TableId table : List.of(one, other)) {
        scene
            .shard(shard)
            .execute(
                "CREATE TABLE %s (customer bigint PRIMARY KEY, note %s DEFAULT '%s' CHECK (note <> '%s'))"
                    .formatted(table.quoted(), shard.equals(A) ? "text" : "varchar", shard, shard),
                "CREATE UNIQUE INDEX of_note ON %s (note)%s"
                    .formatted(table.quoted(), shard.equals(A) ? "" : " WHERE note <> ''"));
      }
    }
    Keyspace both =
        new Keyspace(
            "shop",
            ORDERS.partitioning(),
            List.of(new ShardedTable(one, "customer"), new ShardedTable(other, "customer")),
            List.of());
    List<String> lines = scene.check(both, A);
    assertHas(lines, "BLOCKER  c: table \"s.t\".u differs in column note: a has text");
    assertHas(lines, "BLOCKER  c: defaults of \"s.t\".u differs in default of column note");
    assertHas(lines, "BLOCKER  c: constraint u_note_check ON \"s.t\".u differs in definition");
    assertHas(lines, "BLOCKER  c: index \"s.t\".of_note differs in definition");
    assertEquals(4, lines.size(), lines::toString);
  }

  /** It is made whole where nothing is; where something is, it is not looked at. */
  @Test
  void anIgnoredColumnIsMadeAsItIsOnTheSourceAndItsDifferencesAreNone() throws Exception {
    scene.close();
    scene = new SchemaScene(Map.of(new TableId("public", "orders"), Set.of("note", "extra")));
    scene
        .shard(A)
        .execute(
            "CREATE TABLE orders (customer bigint NOT NULL, id bigint, note text DEFAULT 'n' CHECK (note <> ''), PRIMARY KEY (id, customer))",
            "CREATE INDEX of_note ON orders (note)");
    scene
        .shard(C)
        .execute(
            "CREATE TABLE orders (customer bigint NOT NULL, id bigint, extra int DEFAULT 3 CHECK (extra > 0), PRIMARY KEY (id, customer))",
            "CREATE INDEX of_extra ON orders (extra)");
    assertEquals(List.of(), scene.check(ORDERS, A));
    scene.shard(C).execute("DROP TABLE orders");
    scene.run(ORDERS);
    assertEquals(scene.listing(A), scene.listing(C));
  }

  private List<String> ofItems() throws SQLException {
    List<String> items = new ArrayList<>(scene.shard(C).query("SELECT i::text FROM items i"));
    scene.listing(C).stream().filter(line -> line.contains("items")).forEach(items::add);
    return items;
  }

  @Test
  void aColumnOfAnotherTypeIsNamedAndNothingIsChanged() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    scene.shard(C).execute(ORDERS_DDL);
    scene
        .shard(C)
        .execute(
            "ALTER TABLE orders ALTER note TYPE varchar(7)",
            "COMMENT ON TABLE orders IS 'theirs'",
            "GRANT TRIGGER ON orders TO app");
    scene.shard(A).execute("GRANT REFERENCES ON orders TO reporting");
    List<String> before = scene.listing(C);

    List<String> lines = scene.check(ORDERS, A);
    assertHas(
        lines,
        "BLOCKER  c: table public.orders differs in column note: a has text, c has character varying(7)");
    assertHas(
        lines,
        "BLOCKER  c: table public.orders differs in rights of role reporting: a has REFERENCES, c has none");
    assertHas(lines, "note  c: table public.orders differs in rights of role app: a has DELETE");
    assertHas(lines, "note  c: table public.orders differs in comment: a has none, c has theirs");
    scene.run(ORDERS);
    assertEquals(before, scene.listing(C));
  }

  @Test
  void whatOnlyAnOperatorCanMakeIsNamedWithWhatNeedsItAndTheRunRefuses() throws Exception {
    scene
        .shard(A)
        .executeAsSuperuser(
            "CREATE EXTENSION citext",
            "CREATE EXTENSION moddatetime",
            "CREATE ROLE only_here",
            "CREATE FUNCTION public.loud() RETURNS trigger LANGUAGE c AS 'moddatetime', 'moddatetime'",
            "CREATE FUNCTION public.same(bigint, bigint) RETURNS boolean LANGUAGE internal AS 'int8eq'",
            "CREATE OPERATOR public.=== (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.same)",
            "CREATE COLLATION public.german (provider = icu, locale = 'de')",
            "CREATE TABLE public.jobs (id bigint PRIMARY KEY)",
            "GRANT REFERENCES, SELECT ON public.jobs TO app_owner");
    try {
      scene
          .shard(A)
          .execute(
              ORDERS_DDL,
              "ALTER TABLE orders ADD email citext, ADD name text COLLATE german, ADD CHECK (id === id)",
              "ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES jobs",
              "GRANT SELECT ON orders TO only_here",
              "CREATE TRIGGER shout BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION loud('note')",
              "CREATE VIEW jobs_of AS SELECT * FROM jobs");
      List<String> before = scene.listing(C);

      List<String> lines = scene.check(ORDERS, A);
      assertHas(
          lines, "BLOCKER  c: role only_here is not there, and is needed by table public.orders");
      assertHas(
          lines, "BLOCKER  c: function public.loud() is not there, and is needed by trigger shout");
      assertHas(lines, "BLOCKER  c: table public.jobs is not there, and is needed by");
      String refusal = assertThrows(RefusedException.class, () -> scene.run(ORDERS)).getMessage();
      for (String what : new String[] {"citext", "only_here", "german", "===", "jobs", "loud"}) {
        assertTrue(refusal.contains(what), refusal);
      }
      assertEquals(before, scene.listing(C));
      assertEquals(List.of(), scene.registry.items());
    } finally {
      scene.shard(A).executeAsSuperuser("DROP OWNED BY only_here", "DROP ROLE only_here");
    }
  }

  @Test
  void aTableThatWeMadeGetsWhatACrashLeftOutAndATableThatWasThereDoesNot() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    SchemaPlan plan = scene.plan(ORDERS);
    assertEquals("TABLE public.orders", plan.steps().get(0).name());
    scene.make(new SchemaPlan(C, plan.steps().subList(0, 1), List.of(), List.of(), List.of()));
    assertEquals(
        List.of("CONSTRAINT orders_pkey ON public.orders", "INDEX public.of_note"),
        names(scene.plan(ORDERS)));

    scene.registry.forget(C, Kind.SCHEMA_OBJECT);
    assertEquals(List.of(), names(scene.plan(ORDERS)));
    assertHas(
        scene.plan(ORDERS).differences(),
        "c: TABLE public.orders is there, but lacks its constraint orders_pkey");
    assertHas(scene.plan(ORDERS).notes(), "c: TABLE public.orders is there, but lacks its index");
  }

  @Test
  void sourcesThatDifferAreNamedWithWhatDiffers() throws Exception {
    scene.shards.execute(
        ORDERS_DDL,
        "CREATE TYPE state AS ENUM ('on')",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE orders ADD s state, ADD CHECK (id > 0)");
    assertEquals(List.of(), scene.check(ORDERS, A, B));
    scene
        .shard(B)
        .execute(
            "ALTER TYPE state ADD VALUE 'off'",
            "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "ALTER TABLE orders DISABLE TRIGGER t, ALTER note TYPE varchar, ALTER id SET DEFAULT 1",
            "ALTER TABLE orders DROP CONSTRAINT orders_id_check",
            "DROP INDEX of_note");
    List<String> lines = scene.check(ORDERS, A, B);
    assertHas(
        lines, "BLOCKER  b: type public.state differs in labels: a has 'on', b has 'on', 'off'");
    assertHas(lines, "BLOCKER  b: function public.f() differs in definition");
    assertHas(lines, "BLOCKER  b: trigger t ON public.orders differs in definition");
    assertHas(lines, "BLOCKER  b: table public.orders differs in column note: a has text");
    assertHas(lines, "BLOCKER  a lacks defaults of public.orders, which b has");
    assertHas(lines, "BLOCKER  b lacks constraint orders_id_check ON public.orders, which a has");
    assertHas(lines, "note  b lacks index public.of_note, which a has");
    assertEquals(7, lines.size(), () -> String.join("\n", lines));
  }

  @Test
  void whatWeChangeOurselvesDuringAMigrationIsNoDifference() throws Exception {
    scene
        .shard(A)
        .execute(
            "CREATE TABLE orders (customer bigint NOT NULL, id bigserial PRIMARY KEY, note text)");
    scene.run(ORDERS);
    RowKeys rowKeys = new RowKeys(scene.sessions, scene.registry, "shop");
    rowKeys.prepare(A, ORDERS);
    assertEquals(List.of(), scene.check(ORDERS, A), "one side has our index");
    rowKeys.prepare(C, ORDERS);
    scene.shard(C).execute("ALTER SEQUENCE orders_id_seq MAXVALUE 2000000 RESTART 1000000");
    assertEquals(List.of(), scene.check(ORDERS, A));
  }

  /** Else a destination would keep it for ever. */
  @Test
  void whatRowKeysSetOnTheSourceIsNotTakenForItsSchema() throws Exception {
    scene
        .shard(A)
        .execute(
            "CREATE TABLE orders (customer bigint NOT NULL, note text) PARTITION BY RANGE (customer)",
            "CREATE TABLE \"Some orders\" PARTITION OF orders DEFAULT");
    scene.copy(ORDERS, A).runBeforeRows(scene.registry, scene.worker, Set.of(C));
    RowKeys rowKeys = new RowKeys(scene.sessions, scene.registry, "shop");
    rowKeys.prepare(A, ORDERS);
    assertEquals(List.of("f"), identities(A));
    scene.run(ORDERS);
    assertEquals(List.of("d"), identities(C));
    rowKeys.prepare(C, ORDERS);
    assertEquals(List.of("f"), identities(C));
    for (Item item : scene.registry.items()) {
      if (item.kind() == Kind.REPLICA_IDENTITY) {
        scene.undo(item);
      }
    }
    assertEquals(List.of("d"), identities(A));
    assertEquals(List.of("d"), identities(C));
  }

  @Test
  void aPartitionThatSomebodyReadsIsToldAndTriedAgain() throws Exception {
    scene
        .shard(A)
        .execute(
            "CREATE TABLE orders (customer bigint NOT NULL, note text) PARTITION BY RANGE (customer)",
            "ALTER TABLE orders REPLICA IDENTITY FULL",
            "CREATE TABLE new_orders PARTITION OF orders DEFAULT");
    RowKeys rowKeys = new RowKeys(scene.sessions, scene.registry, "shop");
    try (Connection ours = scene.sessions.open(A, "test");
        Connection reader = scene.shard(A).connectAsOwner();
        Statement statement = reader.createStatement()) {
      List<Table> tables = List.of(Catalog.read(ours, ORDERS.sharded().get(0).id()));
      reader.setAutoCommit(false);
      statement.execute("SELECT FROM new_orders");
      List<String> problems = rowKeys.preparePartitions(A, tables);
      assertEquals(1, problems.size(), problems::toString);
      assertTrue(
          problems.get(0).startsWith("partition public.new_orders on shard a: ALTER TABLE"),
          problems::toString);
      reader.rollback();
      assertEquals(List.of(), rowKeys.preparePartitions(A, tables));
      assertEquals(List.of("f"), identities(A));
    }
  }

  private List<String> identities(ShardId shard) throws SQLException {
    return scene
        .shard(shard)
        .query("SELECT DISTINCT relreplident FROM pg_class WHERE relname ~ 'orders$'");
  }

  @Test
  void aFunctionThatNamesAnIgnoredTableIsMadeAndSaysSo() throws Exception {
    scene
        .shard(A)
        .execute(
            ORDERS_DDL,
            "CREATE TABLE audit (line text)",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (NEW.note); RETURN NEW; END'",
            "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()");
    assertHas(
        scene.plan(ORDERS).notes(),
        "c: function public.f(): it names public.audit, which we do not make");
    scene.run(ORDERS);
    assertEquals(List.of("t"), scene.shard(C).query("SELECT to_regclass('audit') IS NULL"));
  }

  @Test
  void aWorkerThatLostItsLeaseMakesNothing() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    List<String> before = scene.listing(C);
    SchemaPlan plan = scene.plan(ORDERS);
    scene.takeLease(C, 2);
    assertEquals(
        "RS002", assertThrows(SchemaException.class, () -> scene.make(plan)).getSQLState());
    assertEquals(before, scene.listing(C));
  }

  @Test
  void aTableThatTheDestinationRefusesIsNamedAndNotWrittenDownAsOurs() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    SchemaPlan plan = scene.plan(ORDERS);
    scene.shard(C).execute("CREATE VIEW orders AS SELECT 1");
    assertTrue(
        assertThrows(SchemaException.class, () -> scene.make(plan))
            .getMessage()
            .startsWith("c: could not make TABLE public.orders: ERROR: relation"));
    assertEquals(List.of(), scene.registry.items());
    assertHas(
        scene.plan(ORDERS).impossible(), "c: table public.orders is not there, and is needed by");
  }

  @Test
  void whatStandsInTheWayOfManyObjectsIsToldOnce() throws Exception {
    scene.makeEverything(A);
    scene.shard(C).executeAsSuperuser("CREATE SCHEMA shop"); // its owner may not create there
    List<String> told =
        scene.check(EVERYTHING, A).stream()
            .filter(line -> line.contains("role app_owner may not create there"))
            .toList();
    assertEquals(1, told.size(), told::toString);
    assertTrue(told.get(0).matches("BLOCKER  c: .* and \\d+ more are not there: .*"), told.get(0));
  }

  @Test
  void ourOwnRightsAreNoDifference() throws Exception {
    scene.shard(A).execute(ORDERS_DDL);
    scene.shard(A).executeAsSuperuser("GRANT USAGE, CREATE ON SCHEMA public TO reshard");
    scene.shard(C).executeAsSuperuser("REVOKE ALL ON SCHEMA public FROM reshard");
    SchemaPlan plan = scene.plan(ORDERS);
    assertEquals(List.of(), plan.problems());
    assertNotes(plan, "c: will be made as on a: 1 table, 1 constraint");
  }

  private static List<String> names(SchemaPlan plan) {
    return plan.steps().stream().map(SchemaPlan.Step::name).toList();
  }

  private static void assertNotes(SchemaPlan plan, String... beginnings) {
    assertEquals(beginnings.length, plan.notes().size(), plan.notes()::toString);
    for (String beginning : beginnings) {
      assertHas(plan.notes(), beginning);
    }
  }

  private static void assertSame(List<String> here, List<String> there) {
    List<String> missing = new ArrayList<>(here);
    missing.removeIf(line -> line.contains(UNUSED));
    List<String> extra = new ArrayList<>(there);
    there.forEach(missing::remove);
    here.forEach(extra::remove);
    assertEquals(String.join("\n", missing), String.join("\n", extra));
  }
}
