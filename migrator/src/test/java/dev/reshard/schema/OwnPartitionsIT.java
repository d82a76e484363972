package dev.reshard.schema;

import static dev.reshard.schema.SchemaScene.A;
import static dev.reshard.schema.SchemaScene.C;
import static dev.reshard.schema.SchemaScene.assertHas;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.Keyspace;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shard a is a source; c is the destination, and has the partitioned table already. */
@Timeout(120)
class OwnPartitionsIT {
  private static final Keyspace ORDERS =
      SchemaScene.keyspace("customer", List.of("public.orders"), List.of());
  private static final Keyspace DAYS =
      SchemaScene.keyspace("customer", List.of("public.days"), List.of());

  private static final String DAYS_DDL =
      """
      CREATE TABLE days (customer bigint, day int, PRIMARY KEY (customer, day)) PARTITION BY RANGE (day);
      CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10);
      CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)""";

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
  void aTableThatIsThereWithPartitionsOfItsOwnKeepsThemAndGetsNoneOfTheSources() throws Exception {
    scene.shard(A).execute(DAYS_DDL);
    scene
        .shard(C)
        .execute(
            "CREATE TABLE days (customer bigint, day int, PRIMARY KEY (customer, day)) PARTITION BY RANGE (day)",
            "CREATE TABLE all_days PARTITION OF days FOR VALUES FROM (0) TO (99)");
    List<String> before = scene.listing(C);
    assertEquals(
        List.of(
            "note  c: TABLE public.days is there with partitions of its own, so that those of a are not made; see that each row finds one"),
        scene.check(DAYS, A));
    scene.run(DAYS);
    assertEquals(before, scene.listing(C));
  }

  @Test
  void aTableThatIsThereWithSomeOfTheSourcesPartitionsIsGivenTheRest() throws Exception {
    scene.shard(A).execute(DAYS_DDL);
    scene
        .shard(C)
        .execute(
            "CREATE TABLE days (customer bigint, day int, PRIMARY KEY (customer, day)) PARTITION BY RANGE (day)",
            "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)");
    scene.run(DAYS);
    assertEquals(scene.listing(A), scene.listing(C));
  }

  @Test
  void aTableThatIsThereWithAPartitionOfItsOwnIsGivenThoseThatOverlapNothing() throws Exception {
    scene
        .shard(A)
        .execute(
            DAYS_DDL,
            "CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM (20) TO (30) PARTITION BY LIST (customer)",
            "CREATE TABLE days_3_1 PARTITION OF days_3 FOR VALUES IN (1, 2)",
            "CREATE INDEX ON days (day)");
    scene
        .shard(C)
        .execute(
            "CREATE TABLE days (customer bigint, day int, PRIMARY KEY (customer, day)) PARTITION BY RANGE (day)",
            "CREATE INDEX ON days (day)",
            "CREATE TABLE mine PARTITION OF days FOR VALUES FROM (-7) TO (0)",
            "CREATE TABLE early PARTITION OF days FOR VALUES FROM (0) TO (4)",
            "CREATE TABLE mid PARTITION OF days FOR VALUES FROM (4) TO (10)");
    List<String> lines = scene.check(DAYS, A);
    assertHas(lines, "note  c: will be made as on a: 3 tables");
    assertHas(
        lines,
        "note  c: TABLE public.days is there with partitions of its own, which take the rows of some of a, so that these are not made: public.days_1");
    assertEquals(2, lines.size(), lines::toString);
    scene.run(DAYS);
    assertEquals(
        List.of("days_2", "days_3", "days_3_1", "early", "mid", "mine"),
        scene
            .shard(C)
            .query(
                "SELECT c.relname FROM pg_partition_tree('days') t JOIN pg_class c ON c.oid = t.relid WHERE level > 0 ORDER BY 1"));
    assertEquals(
        List.of("0"), scene.shard(C).query("SELECT count(*) FROM pg_index WHERE NOT indisvalid"));
    assertEquals(List.of(), scene.plan(DAYS).steps());
    assertEquals(List.of(), scene.plan(DAYS).problems());
  }

  /**
   * Clients of the table lock all its partitions: an index of many rows would keep them waiting.
   */
  @Test
  void whatAPartitionBesideThemHasOfItsOwnIsMadeBeforeItsRows() throws Exception {
    scene
        .shard(A)
        .execute(
            DAYS_DDL,
            "CREATE INDEX own ON days_2 (customer)",
            "ALTER TABLE days_2 ADD CONSTRAINT one UNIQUE (day, customer)");
    scene
        .shard(C)
        .execute(
            "CREATE TABLE days (customer bigint, day int, PRIMARY KEY (customer, day)) PARTITION BY RANGE (day)",
            "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)");
    assertEquals(3, scene.plan(DAYS).steps().size());
    assertEquals(List.of(false), late());
    scene.run(DAYS);
    assertEquals(scene.listing(A), scene.listing(C));
  }

  @Test
  void indexesOfATableThatIsMadeWholeComeAfterItsRows() throws Exception {
    scene.shard(A).execute(DAYS_DDL, "CREATE INDEX own ON days_2 (customer)");
    assertTrue(late().contains(true));
  }

  private List<Boolean> late() throws Exception {
    return scene.plan(DAYS).steps().stream().map(SchemaPlan.Step::late).distinct().toList();
  }

  @Test
  void aPartitionOfWhichOnlySomeRowsWouldFindOneIsABlockerWithBothBounds() throws Exception {
    scene.shard(A).execute(DAYS_DDL);
    scene
        .shard(C)
        .execute(
            "CREATE TABLE days (customer bigint, day int, PRIMARY KEY (customer, day)) PARTITION BY RANGE (day)",
            "CREATE TABLE mine PARTITION OF days FOR VALUES FROM (15) TO (MAXVALUE)");
    List<String> lines = scene.check(DAYS, A);
    assertHas(
        lines,
        "BLOCKER  c: partition public.days_2 of public.days cannot be made, as a has public.days_2 FOR VALUES FROM (10) TO (20), and public.mine there has FOR VALUES FROM (15) TO (MAXVALUE): some of its rows would find no partition");
    assertHas(lines, "note  c: will be made as on a: 1 table");
    assertEquals(2, lines.size(), lines::toString);
    scene.shard(C).execute("CREATE TABLE rest PARTITION OF days DEFAULT");
    assertEquals(
        List.of(
            "note  c: TABLE public.days is there with partitions of its own, so that those of a are not made; see that each row finds one"),
        scene.check(DAYS, A));
  }

  @Test
  void aTableThatIsThereWithAllOfTheSourcesPartitionsMayHaveMore() throws Exception {
    scene.shard(A).execute(DAYS_DDL);
    scene
        .shard(C)
        .execute(DAYS_DDL, "CREATE TABLE more PARTITION OF days FOR VALUES FROM (20) TO (30)");
    assertEquals(List.of(), scene.check(DAYS, A));
  }

  /** As their types order them, and their collation: not as text. */
  @Test
  void boundsOfAnyTypeAreComparedAsTheServerOrdersThem() throws Exception {
    String orders =
        "CREATE TABLE orders (customer numeric, at timestamptz, s size, name bpchar COLLATE \"C\") PARTITION BY RANGE (customer, at, s, name)";
    String size = "CREATE TYPE size AS ENUM ('small', 'large', 'huge')";
    scene
        .shard(A)
        .execute(
            size,
            orders,
            "CREATE TABLE o1 PARTITION OF orders FOR VALUES FROM (9, '2026-01-01 00:00+02', 'small', 'B') TO (10, MINVALUE, MINVALUE, MINVALUE)",
            "CREATE TABLE o2 PARTITION OF orders FOR VALUES FROM (10, '2026-01-01 00:00+00', 'large', 'B') TO (10, '2026-01-01 00:00+00', 'huge', 'a')");
    scene
        .shard(C)
        .execute(
            size,
            orders,
            "CREATE TABLE own PARTITION OF orders FOR VALUES FROM (10.00, '2026-01-01 02:00+02', 'huge', 'a') TO (100, MAXVALUE, MAXVALUE, MAXVALUE)");
    List<String> lines = scene.check(ORDERS, A);
    assertHas(lines, "note  c: will be made as on a: 2 tables");
    assertEquals(1, lines.size(), lines::toString);
    scene.run(ORDERS);
    assertEquals(
        List.of("4"), scene.shard(C).query("SELECT count(*) FROM pg_partition_tree('orders')"));
  }

  @Test
  void partitionsByHashAreComparedByTheirRemainders() throws Exception {
    String orders =
        "CREATE TABLE orders (customer bigint PRIMARY KEY) PARTITION BY HASH (customer)";
    scene
        .shard(A)
        .execute(
            orders,
            "CREATE TABLE o0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE o1 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
    scene
        .shard(C)
        .execute(
            orders,
            "CREATE TABLE own PARTITION OF orders FOR VALUES WITH (MODULUS 4, REMAINDER 3)");
    List<String> lines = scene.check(ORDERS, A);
    assertHas(lines, "note  c: will be made as on a: 1 table");
    assertHas(
        lines,
        "BLOCKER  c: partition public.o1 of public.orders cannot be made, as a has public.o1 FOR VALUES WITH (modulus 2, remainder 1), and public.own there has FOR VALUES WITH (modulus 4, remainder 3)");
    assertEquals(2, lines.size(), lines::toString);
  }
}
