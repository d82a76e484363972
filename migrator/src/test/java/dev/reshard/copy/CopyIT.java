package dev.reshard.copy;

import static dev.reshard.copy.CopyScene.A;
import static dev.reshard.copy.CopyScene.B;
import static dev.reshard.copy.CopyScene.BUCKETS;
import static dev.reshard.copy.CopyScene.C;
import static dev.reshard.copy.CopyScene.MOVING;
import static dev.reshard.copy.CopyScene.table;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.AnchorHolder;
import dev.reshard.postgres.CopyReader;
import dev.reshard.postgres.CopyWriter.Batches;
import dev.reshard.sandbox.RowComparison;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class CopyIT {
  private static final Keyspace.ShardedTable ORDERS = table("orders", "tenant");
  private static final String ORDERS_DDL =
      """
      CREATE TABLE orders (tenant bigint NOT NULL, id bigint NOT NULL, note text,
                           PRIMARY KEY (tenant, id))""";
  private static final String ORDERS_ROWS =
      """
      INSERT INTO orders SELECT g %% 97, g, repeat('x', (g %% 300)::int)
        FROM generate_series(1, 3000) g
       WHERE %s"""
          .formatted(BUCKETS.sqlIn("(g % 97)::bigint", BucketSet.range(0, 14)));

  private CopyScene scene;

  @BeforeEach
  void startShards() throws SQLException {
    scene = new CopyScene();
  }

  @AfterEach
  void dropShards() throws SQLException {
    scene.close();
  }

  @Test
  void copiesEveryKindOfTableValueByValue() throws Exception {
    // other OIDs on the destinations, for the types' arrays and composites say theirs
    scene.shard(B).execute("CREATE TYPE spare AS ENUM ('x')");
    scene.shard(C).execute("CREATE TYPE spare AS (x int)", "CREATE TYPE spare2 AS (x int)");
    scene.shards.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
        "CREATE TYPE place AS (street text, mood mood)",
        "CREATE DOMAIN cents AS numeric(12,2) CHECK (VALUE >= 0)");
    scene
        .shard(A)
        .execute(
            """
            CREATE TABLE things (gone int, tenant bigint NOT NULL, id uuid NOT NULL, amount numeric,
              price cents, doc jsonb, raw json, tags text[], grid int[][], mood mood, moods mood[],
              at timestamptz, span interval, ratio float8, bits bit varying, code char(7),
              blob bytea, address inet, home place, period tstzrange, found tsvector,
              PRIMARY KEY (tenant, id))""",
            "ALTER TABLE things DROP COLUMN gone",
            """
            INSERT INTO things SELECT g % 50, md5(g::text)::uuid,
              CASE g % 4 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 WHEN 2 THEN 'NaN' ELSE g / 7.0 END,
              g / 100.0, jsonb_build_object('n', g, 's', repeat('y', g % 50)),
              json_build_object('b', g, 'a', NULL)::text::json, ARRAY['a', NULL, 'ü' || g],
              ARRAY[[g, 2], [3, 4]], (ARRAY['sad', 'ok', 'happy'])[1 + g % 3]::mood,
              ARRAY['sad', 'happy']::mood[],
              CASE WHEN g % 9 = 0 THEN 'infinity' ELSE now() + g * interval '1 s' END,
              g * interval '1 month 3 s', CASE WHEN g % 5 = 0 THEN '-0' ELSE random() END,
              g::bit(16), 'c' || g % 9, decode(md5(g::text), 'hex'), '10.0.0.1',
              ROW('street ' || g, 'ok')::place, tstzrange(now(), NULL), to_tsvector('a b c')
              FROM generate_series(1, 2000) g""",
            """
            CREATE TABLE docs (name text NOT NULL, body text, PRIMARY KEY (name))""",
            """
            INSERT INTO docs SELECT 'näme ' || g,
              (SELECT string_agg(md5(g::text || i), '') FROM generate_series(1, 400) i)
              FROM generate_series(1, 300) g""",
            """
            CREATE TABLE "Odd ""Name\""" ("Shard Key" uuid NOT NULL,
              "select" int GENERATED ALWAYS AS IDENTITY,
              twice int GENERATED ALWAYS AS ("select" * 2) STORED, " " text,
              PRIMARY KEY ("Shard Key", "select"))""",
            """
            INSERT INTO "Odd ""Name\""" ("Shard Key", " ")
              SELECT md5(g::text)::uuid, nullif(g % 3, 0) FROM generate_series(1, 3000) g""",
            "CREATE TABLE events (tenant text NOT NULL, what text)",
            "INSERT INTO events SELECT g % 40, 'e' || g % 7 FROM generate_series(1, 5000) g",
            """
            CREATE TABLE days (tenant bigint NOT NULL, day date NOT NULL, v text,
              PRIMARY KEY (tenant, day)) PARTITION BY RANGE (day)""",
            "CREATE TABLE days1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
            "CREATE TABLE days2 (v text, day date NOT NULL, extra int, tenant bigint NOT NULL)",
            "ALTER TABLE days2 DROP COLUMN extra",
            "ALTER TABLE days ATTACH PARTITION days2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
            """
            INSERT INTO days SELECT g % 99, date '2026-01-01' + g / 99, 'v' || g
              FROM generate_series(0, 99 * 59 - 1) g""");
    for (var shard : List.of(scene.shard(B), scene.shard(C))) {
      shard.execute(
          """
          CREATE TABLE things (home place, period tstzrange, found tsvector, blob bytea,
            address inet, tenant bigint NOT NULL, id uuid NOT NULL, amount numeric,
            price cents, doc jsonb, raw json, tags text[], grid int[][], mood mood, moods mood[],
            at timestamptz, span interval, ratio float8, bits bit varying, code char(7),
            PRIMARY KEY (tenant, id))""",
          "CREATE TABLE docs (body text, gone int, name text NOT NULL, PRIMARY KEY (name))",
          "ALTER TABLE docs DROP COLUMN gone",
          """
          CREATE TABLE "Odd ""Name\""" ("Shard Key" uuid NOT NULL, " " text,
            "select" int GENERATED ALWAYS AS IDENTITY,
            twice int GENERATED ALWAYS AS ("select" * 2) STORED,
            PRIMARY KEY ("Shard Key", "select"))""",
          "CREATE TABLE events (tenant text NOT NULL, what text)",
          """
          CREATE TABLE days (tenant bigint NOT NULL, day date NOT NULL, v text,
            PRIMARY KEY (tenant, day)) PARTITION BY HASH (tenant)""",
          "CREATE TABLE days_0 PARTITION OF days FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
          "CREATE TABLE days_1 PARTITION OF days FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
    }
    List<Keyspace.ShardedTable> tables =
        List.of(
            table("things", "tenant"),
            table("docs", "name"),
            table("Odd \"Name\"", "Shard Key"),
            table("events", "tenant"),
            table("days", "tenant"));

    CopyResult result =
        scene.prepareAndCopy(scene.plan(tables.toArray(Keyspace.ShardedTable[]::new)));

    assertTrue(result.complete());
    for (Keyspace.ShardedTable table : tables) {
      RowComparison comparison = scene.compare(table);
      comparison.requireEqual();
      assertTrue(comparison.actualRows() > 100, table + ": " + comparison);
      assertEquals(
          comparison.actualRows(),
          result.rows().get(table.id()).values().stream().mapToLong(Long::longValue).sum());
    }
    assertEquals(
        List.of("0"),
        scene.shard(A).query("SELECT count(*) FROM pg_replication_slots WHERE temporary"));
  }

  @Test
  void copiesTheSnapshotAndNothingLaterWhileWritersInsert() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    // behind the measured end of the table, before the anchor
    scene
        .shard(A)
        .execute("INSERT INTO orders SELECT g % 97, g, 'late' FROM generate_series(3001, 9000) g");
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger writes = new AtomicInteger();
    Thread writer =
        new Thread(
            () -> {
              try (Connection app = scene.shard(A).connect(SandboxRole.APP);
                  Statement statement = app.createStatement()) {
                for (int i = 0; !done.get(); i++) {
                  statement.execute(
                      "INSERT INTO orders VALUES (%d, %d, 'new')".formatted(i % 97, 10_000 + i));
                  statement.execute(
                      "UPDATE orders SET note = 'changed' WHERE id = " + (1 + i % 9000));
                  statement.execute("DELETE FROM orders WHERE id = " + (9000 - i));
                  writes.incrementAndGet();
                }
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            });
    writer.start();
    try (AnchorHolder anchor = scene.anchor()) {
      int before = writes.get();
      while (writes.get() < before + 50) {
        Thread.onSpinWait();
      }
      CopyResult result = scene.copier().copy(plan, anchor);
      RowComparison comparison = scene.compareAt(anchor, ORDERS);
      comparison.requireEqual();
      assertEquals(
          comparison.expectedRows(),
          result.rows().get(ORDERS.id()).values().stream().mapToLong(Long::longValue).sum());
      assertFalse(scene.compare(ORDERS).equal(), "the writer must have changed moving rows");
    } finally {
      done.set(true);
      writer.join();
    }
  }

  @Test
  void countsStraysByTableAndNamesTheirKeysOnly() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    String stray =
        """
        INSERT INTO orders SELECT g, 5, 'private' FROM generate_series(1000, 1100) g WHERE %s"""
            .formatted(BUCKETS.sqlIn("g::bigint", BucketSet.of(14, 15)));
    scene.shard(A).execute(stray);
    long strays =
        Long.parseLong(
            scene
                .shard(A)
                .query("SELECT count(*) FROM orders WHERE id = 5 AND note = 'private'")
                .get(0));

    CopyResult result = scene.prepareAndCopy(scene.plan(ORDERS));

    Strays found = result.strays().get(ORDERS.id());
    assertTrue(strays > 2);
    assertEquals(strays, found.rows());
    assertTrue(
        found.keys().stream().allMatch(key -> key.matches("tenant=1[01]\\d\\d id=5")), found + "");
    scene.compare(ORDERS).requireEqual();
  }

  @Test
  void straysThatWereCorrectedBetweenTwoRoundsAreCountedNoMore() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene
        .shard(A)
        .execute(
            "INSERT INTO orders SELECT g, 5, 'x' FROM generate_series(1000, 1100) g WHERE "
                + BUCKETS.sqlIn("g::bigint", BucketSet.of(14, 15)),
            ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    long before;
    try (AnchorHolder anchor = scene.anchor()) {
      CopyResult result = stopping(8).copy(plan, anchor);
      assertFalse(result.complete());
      before = result.strays().get(ORDERS.id()).rows();
    }
    scene.shard(A).execute("DELETE FROM orders WHERE id = 5 AND tenant > 1050");
    assertTrue(before > 2, before + " strays");
    List<String> left =
        scene.shard(A).query("SELECT 'tenant=' || tenant || ' id=5' FROM orders WHERE id = 5");
    assertTrue(left.size() > 1 && left.size() < before, left::toString);
    Strays now = again(plan).strays().get(ORDERS.id());
    assertEquals(left.size(), now.rows());
    assertEquals(Set.copyOf(left), Set.copyOf(now.keys()));
    scene.shard(A).execute("DELETE FROM orders WHERE id = 5 AND tenant > 999");
    assertEquals(Map.of(), again(plan).strays());
  }

  /** What was cut off sent its commit; the network keeps it for the next round. */
  @Test
  void aChunkWhoseCommitIsUnderWayWhenItsRoundEndsIsNeitherLoadedLateNorLost() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (Connection late = scene.sessions.open(B, "copy");
        AnchorHolder anchor = scene.anchor();
        Connection source = anchor.open("test")) {
      assertFalse(stopping(4).copy(plan, anchor).complete());
      TableCopy table = plan.tables().get(0);
      List<Chunk> chunks = Chunk.cut(table.table(), 3);
      Chunk last = chunks.get(chunks.size() - 1);
      Load load =
          Load.open(
                  late,
                  scene.worker,
                  B,
                  table,
                  last,
                  new CopyLedger("shop", A),
                  anchor.anchor().position(),
                  false,
                  Batches.DEFAULT)
              .orElseThrow();
      try (CopyReader rows = CopyReader.open(source, table.select(last), table.format())) {
        while (rows.next()) {
          if (MOVING.get(B).contains(rows.bucket())) {
            load.add(rows);
          }
        }
      }
      scene.destinations().again(plan, 3);
      assertThrows(SQLException.class, () -> load.commit(0));
    }
    try (AnchorHolder anchor = scene.anchor()) {
      assertTrue(scene.copier().copy(plan, anchor).complete());
    }
    scene.compare(ORDERS).requireEqual();
  }

  private CopyResult again(CopyPlan plan) throws Exception {
    scene.destinations().again(plan, 3);
    try (AnchorHolder anchor = scene.anchor()) {
      CopyResult result = scene.copier().copy(plan, anchor);
      assertTrue(result.complete());
      return result;
    }
  }

  @Test
  void skipsChunksThatTheDestinationHas() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (AnchorHolder anchor = scene.anchor()) {
      AtomicInteger asked = new AtomicInteger();
      ShardCopier stopped =
          new ShardCopier(
              scene.sessions,
              scene.worker,
              new CopyOptions(1, 3),
              p -> {},
              () -> asked.incrementAndGet() > 4);
      assertFalse(stopped.copy(plan, anchor).complete());
      // as if c had crashed and lost what it had not flushed
      scene.shard(C).executeAsSuperuser("DELETE FROM orders", "DELETE FROM reshard.copied_chunk");
      long atB = Long.parseLong(scene.shard(B).query("SELECT count(*) FROM orders").get(0));
      assertTrue(atB > 0);

      assertTrue(scene.copier().copy(plan, anchor).complete());
      CopyResult again = scene.copier().copy(plan, anchor);

      scene.compare(ORDERS).requireEqual();
      assertEquals(
          List.of(again.rows().get(ORDERS.id()).get(B).toString()),
          scene.shard(B).query("SELECT count(*) FROM orders"));
    }
  }

  @Test
  void tablesWithoutKeyThatAreCutShortAreInVainOnlyIfNoneOfThemBecameWhole() throws Exception {
    scene.shards.execute(
        "CREATE TABLE small (tenant bigint NOT NULL, what text)",
        "CREATE TABLE large (tenant bigint NOT NULL, what text)");
    for (String table : List.of("small", "large")) {
      scene
          .shard(A)
          .execute(
              "INSERT INTO %s SELECT g %% 97, repeat('x', 100) FROM generate_series(1, %d) g WHERE %s"
                  .formatted(
                      table,
                      table.equals("small") ? 300 : 3000,
                      BUCKETS.sqlIn("(g % 97)::bigint", BucketSet.range(0, 14))));
    }
    CopyPlan plan = scene.plan(table("small", "tenant"), table("large", "tenant"));
    scene.destinations().prepare(plan);
    int small = Chunk.cut(plan.tables().get(0).table(), 3).size();
    try (AnchorHolder anchor = scene.anchor()) {
      CopyResult one = stopping(small + 3).copy(plan, anchor);
      assertFalse(one.complete());
      assertEquals(Optional.empty(), one.inVain());
      CopyResult none = stopping(2).copy(plan, anchor);
      assertFalse(none.complete());
      assertEquals(table("large", "").id(), none.inVain().orElseThrow().table());
      assertTrue(none.inVain().orElseThrow().blocks() > 0);
    }
  }

  private ShardCopier stopping(int chunks) {
    AtomicInteger asked = new AtomicInteger();
    return new ShardCopier(
        scene.sessions,
        scene.worker,
        new CopyOptions(1, 3),
        p -> {},
        () -> isCopying() && asked.incrementAndGet() > chunks);
  }

  private static boolean isCopying() {
    return Thread.currentThread().getName().startsWith("copy-");
  }

  @Test
  void beginsAgainFromANewAnchorWithoutTouchingOtherBuckets() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    String own = "INSERT INTO orders SELECT g, 1, 'mine' FROM generate_series(2000, 3000) g WHERE ";
    scene.shard(B).execute(own + BUCKETS.sqlIn("g::bigint", BucketSet.of(14)));
    List<String> before = scene.shard(B).query("SELECT orders::text FROM orders ORDER BY 1");
    CopyPlan plan = scene.plan(ORDERS);
    scene.prepareAndCopy(plan);
    scene
        .shard(A)
        .execute("UPDATE orders SET note = 'changed'", "DELETE FROM orders WHERE id < 500");
    CopyPlan second = scene.plan(ORDERS);
    try (AnchorHolder anchor = scene.anchor()) {
      CopyException refused =
          assertThrows(CopyException.class, () -> scene.copier().copy(second, anchor));
      assertEquals(CopyException.Reason.OTHER_ANCHOR, refused.reason());
    }

    scene.prepareAndCopy(second);

    scene.compare(ORDERS).requireEqual();
    assertEquals(
        before,
        scene
            .shard(B)
            .query(
                "SELECT orders::text FROM orders WHERE %s ORDER BY 1"
                    .formatted(BUCKETS.sqlIn("tenant", BucketSet.of(14)))));
  }

  @Test
  void refusesADestinationWithRowsOfMovingBuckets() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    scene
        .shard(C)
        .execute(
            "INSERT INTO orders SELECT g, 1, 'mine' FROM generate_series(2000, 3000) g WHERE "
                + BUCKETS.sqlIn("g::bigint", MOVING.get(C)));
    CopyException refused =
        assertThrows(CopyException.class, () -> scene.prepareAndCopy(scene.plan(ORDERS)));
    assertEquals(CopyException.Reason.DESTINATION_NOT_EMPTY, refused.reason());
    assertEquals(List.of("0"), scene.shard(B).query("SELECT count(*) FROM orders"));
  }

  /** HAZARDS F7, in the first round. */
  @Test
  void namesTheConstraintButNoValueWhenAUniqueKeyIsTaken() throws Exception {
    scene.shards.execute(ORDERS_DDL, "ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE (note)");
    scene
        .shard(A)
        .execute(
            "INSERT INTO orders SELECT g, g, 'secret' || g FROM generate_series(1, 1000) g WHERE "
                + BUCKETS.sqlIn("g::bigint", BucketSet.range(0, 14)));
    scene
        .shard(B)
        .execute(
            "INSERT INTO orders SELECT 5000 + g, g, 'secret' || g FROM generate_series(1, 1000) g WHERE "
                + BUCKETS.sqlIn("(5000 + g)::bigint", BucketSet.of(14)));
    CopyException refused =
        assertThrows(CopyException.class, () -> scene.prepareAndCopy(scene.plan(ORDERS)));
    assertEquals(CopyException.Reason.UNIQUE_CONFLICT, refused.reason());
    assertTrue(refused.getMessage().contains("(note)"), refused.getMessage());
    assertTrue(refused.getMessage().contains("one_note"), refused.getMessage());
    for (Throwable t = refused; t != null; t = t.getCause()) {
      assertFalse(t.toString().contains("secret"), t.toString());
    }
  }

  @Test
  void stopsWhenATableIsRewrittenAfterTheAnchor() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (AnchorHolder anchor = scene.anchor()) {
      scene.shard(A).execute("VACUUM FULL orders");
      CopyException refused =
          assertThrows(CopyException.class, () -> scene.copier().copy(plan, anchor));
      assertEquals(CopyException.Reason.CATALOG_CHANGED, refused.reason());
    }
  }

  @Test
  void refusesColumnsThatDifferBeforeAnythingIsLoaded() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(C).execute("ALTER TABLE orders ALTER note TYPE varchar(9), ADD extra int");
    CopyException refused =
        assertThrows(CopyException.class, () -> scene.prepareAndCopy(scene.plan(ORDERS)));
    assertEquals(CopyException.Reason.TABLES_DIFFER, refused.reason());
    assertTrue(refused.getMessage().contains("note is character varying(9), not text"));
    assertTrue(refused.getMessage().contains("extra is not stored on the source"));
  }

  @Test
  void copiesAReferenceTableToTheShardsThatLackIt() throws Exception {
    scene.shards.execute(ORDERS_DDL, "CREATE TABLE countries (code text PRIMARY KEY, name text)");
    scene
        .shard(A)
        .execute("INSERT INTO countries SELECT g, 'land ' || g FROM generate_series(1, 900) g");
    TableId countries = new TableId("public", "countries");

    CopyResult result = scene.prepareAndCopy(scene.plan(Map.of(countries, Set.of(B, C)), ORDERS));

    assertEquals(Map.of(B, 900L, C, 900L), result.rows().get(countries));
    String all = "SELECT countries::text FROM countries ORDER BY 1";
    assertEquals(scene.shard(A).query(all), scene.shard(B).query(all));
    assertEquals(scene.shard(A).query(all), scene.shard(C).query(all));
  }

  @Test
  void copiesTypesWithoutABinaryFormAsText() throws Exception {
    scene.shards.execute("CREATE TABLE grants (tenant bigint NOT NULL, note text, who aclitem[])");
    scene
        .shard(A)
        .execute(
            """
            INSERT INTO grants SELECT g, CASE g % 3 WHEN 0 THEN E'tab\\t line\\n \\\\N ü' END,
                '{app=r/app_owner,NULL}'
              FROM generate_series(1, 2000) g""");
    scene.prepareAndCopy(scene.plan(table("grants", "tenant")));
    RowComparison comparison = scene.compare(table("grants", "tenant"));
    comparison.requireEqual();
    assertTrue(comparison.actualRows() > 100, comparison.toString());
  }

  @Test
  void goesOnAfterSessionsWereLostOnEitherSide() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    AtomicInteger chunks = new AtomicInteger();
    ShardCopier copier =
        new ShardCopier(
            scene.sessions,
            scene.worker,
            new CopyOptions(1, 3),
            progress -> {
              int chunk = chunks.incrementAndGet();
              if (chunk == 3 || chunk == 6) {
                endSessions(chunk == 3 ? C : A, "reshard shop copy");
              }
            },
            () -> false);
    try (AnchorHolder anchor = scene.anchor()) {
      assertTrue(copier.copy(plan, anchor).complete());
    }
    assertTrue(chunks.get() > 6, chunks.toString());
    scene.compare(ORDERS).requireEqual();
  }

  /** HAZARDS F24: chunks are committed without waiting for the disk. */
  @Test
  void chunksThatADestinationLostInACrashAreNotTakenForLoaded() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    scene
        .shard(B)
        .executeAsSuperuser(
            "ALTER SYSTEM SET wal_writer_delay = '10s'",
            "ALTER SYSTEM SET wal_writer_flush_after = '1GB'",
            "SELECT pg_reload_conf()");
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    AtomicInteger chunks = new AtomicInteger();
    List<String> said = new ArrayList<>();
    ShardCopier copier =
        new ShardCopier(
            scene.sessions,
            scene.worker,
            new CopyOptions(1, 3),
            progress -> {
              if (chunks.incrementAndGet() == 8) {
                crash(scene.shard(B), said);
              }
            },
            () -> false);
    try (AnchorHolder anchor = scene.anchor()) {
      assertTrue(copier.copy(plan, anchor).complete());
    } finally {
      scene.shard(B).executeAsSuperuser("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()");
    }
    assertTrue(
        Integer.parseInt(said.get(0)) > Integer.parseInt(said.get(1)),
        "no chunk was lost: " + said);
    scene.compare(ORDERS).requireEqual();
  }

  /** Keeps what the ledger said before and after. */
  private static void crash(SandboxShard shard, List<String> said) {
    String count = "SELECT count(*) FROM reshard.copied_chunk";
    try {
      said.addAll(shard.query(count));
      shard.server().kill();
      shard.server().restart();
      said.addAll(shard.query(count));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void saysWhenTheSnapshotIsGone() throws Exception {
    scene.shards.execute(ORDERS_DDL);
    scene.shard(A).execute(ORDERS_ROWS);
    CopyPlan plan = scene.plan(ORDERS);
    scene.destinations().prepare(plan);
    try (AnchorHolder anchor = scene.anchor()) {
      endSessions(A, "reshard shop snapshot");
      CopyException refused =
          assertThrows(CopyException.class, () -> scene.copier().copy(plan, anchor));
      assertEquals(CopyException.Reason.SNAPSHOT_GONE, refused.reason());
    }
    scene.prepareAndCopy(plan);
    scene.compare(ORDERS).requireEqual();
  }

  @Test
  void aRowWithoutShardKeyIsAStray() throws Exception {
    scene.shards.execute("CREATE TABLE loose (tenant bigint, v text)");
    scene.shard(A).execute("INSERT INTO loose VALUES (NULL, 'x')");
    CopyResult result = scene.prepareAndCopy(scene.plan(table("loose", "tenant")));
    assertEquals(
        new Strays(1, List.of("tenant=NULL")), result.strays().get(table("loose", "").id()));
  }

  private void endSessions(ShardId shard, String application) {
    try {
      scene
          .shard(shard)
          .query(
              """
              SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE application_name = '%s' AND datname = current_database()"""
                  .formatted(application));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
