package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.reshard.control.ControlStore;
import dev.reshard.guard.Arming;
import dev.reshard.guard.Guard;
import dev.reshard.guard.Patience;
import dev.reshard.guard.Unit;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What stands around the tables: foreign keys, databases, disks, other migrations. */
@Timeout(120)
class SurroundingsIT {
  private CheckScene scene;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2);
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ALTER TABLE orders ADD land text REFERENCES country ON DELETE CASCADE | note  a, b: public.orders (orders_land_fkey): ON DELETE or ON UPDATE of a reference",
        "ALTER TABLE orders ADD special int REFERENCES special | BLOCKER  a, b: public.orders (orders_special_fkey): it refers to public.special, which neither",
        "ALTER TABLE country ADD special int REFERENCES special | BLOCKER  a, b: public.country (country_special_fkey): it refers to public.special, which neither",
        "ALTER TABLE special ADD o bigint, ADD c bigint, ADD FOREIGN KEY (o, c) REFERENCES orders | BLOCKER  a, b: public.special (special_o_c_fkey): an ignored table refers to rows of public.orders",
        "ALTER TABLE country ADD o bigint, ADD c bigint, ADD FOREIGN KEY (o, c) REFERENCES orders | BLOCKER  a, b: public.country (country_o_c_fkey): a reference table refers to public.orders"
      })
  void aForeignKeyOverWhichAMoveWouldBreakIsFound(String change, String found) throws Exception {
    scene.shards.execute("CREATE TABLE special (id int PRIMARY KEY)", change);
    scene.assertFinds(found);
  }

  @Test
  void aParentWithAnotherShardKeyIsABlocker() throws Exception {
    scene.shards.execute(
        "CREATE TABLE basket (id bigint PRIMARY KEY, customer bigint NOT NULL)",
        "CREATE TABLE item (basket bigint REFERENCES basket, customer bigint NOT NULL)");
    scene.acceptingCrossShardUnique("basket");
    scene.a().execute("INSERT INTO basket VALUES (1, 3)", "INSERT INTO item VALUES (1, 3)");
    assertFalse(scene.check().blocked());
    scene.a().execute("INSERT INTO item VALUES (1, 5)");
    scene.assertFinds(
        "BLOCKER  a: public.item (item_basket_fkey e.g. of customer 5): the foreign key lacks the shard key, and rows have a parent with another shard key");
  }

  @Test
  void whatNobodyMovesIsANote() throws Exception {
    scene.a().execute("CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders");
    scene
        .a()
        .executeAsSuperuser(
            "CREATE EXTENSION file_fdw",
            "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
            "CREATE FOREIGN TABLE lines (line text) SERVER files OPTIONS (filename '/dev/null')");
    scene.assertFinds(
        "note  a: foreign table public.lines, materialised view public.sums: nobody moves or refreshes it");
    scene.assertFinds(
        "note  b: file_fdw: a source has the extension, but this destination has not");
  }

  /** A URL that was copied, and not changed. */
  @Test
  void twoShardsInOneDatabaseAreABlocker() throws Exception {
    scene
        .reaching(CheckScene.B, scene.a().url())
        .assertFinds("BLOCKER  b: is the same database as shard a");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "LATIN1    | LATIN1, UTF8: the databases have different encodings",
        "SQL_ASCII | b: the encoding is SQL_ASCII: nobody knows what its text means"
      })
  void anotherEncodingAndNoneAtAllAreBlockers(String encoding, String blocker) throws Exception {
    SandboxShard b = scene.b();
    b.drop();
    try (Connection connection = b.server().superuserConnection("postgres");
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE DATABASE %s ENCODING '%s' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
              .formatted(b.database(), encoding));
      statement.execute("GRANT CREATE ON DATABASE %s TO reshard".formatted(b.database()));
    }
    scene.assertFinds("BLOCKER  " + blocker);
  }

  @Test
  void aShardThatSubscribesIsABlocker() throws Exception {
    SandboxShard a = scene.a();
    a.executeAsSuperuser(
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = 'none_such')",
        "ALTER SUBSCRIPTION s ENABLE");
    try {
      scene.assertFinds("BLOCKER  a: s: the shard subscribes to a publication");
    } finally {
      a.executeAsSuperuser(
          "ALTER SUBSCRIPTION s DISABLE",
          "ALTER SUBSCRIPTION s SET (slot_name = NONE)",
          "DROP SUBSCRIPTION s");
    }
  }

  @Test
  void aDiskThatTheFileSaysIsTooSmallIsABlocker() throws Exception {
    scene.a().execute("INSERT INTO orders SELECT i, i % 8 FROM generate_series(1, 50000) i");
    scene.free(1 << 20).assertFinds("BLOCKER  b: needs about ");
    scene.free(1L << 40).assertFindsNothing();
  }

  @Test
  void anotherMigrationOfTheKeyspaceIsABlocker() throws Exception {
    try (ControlStore other = new ControlStore(scene.sessions(), CheckScene.A, "earlier")) {
      other.install();
      other.create(
          "shop", new Moves(List.of(new Move(CheckScene.A, CheckScene.B, BucketSet.of(4, 5)))), 8);
    }
    scene.assertFinds(
        "BLOCKER  a: migration earlier of this keyspace is PENDING and has 2 buckets; complete or cancel that one first");
  }

  @Test
  void anotherMigrationThatMovesRowsOfATableOfOursIsABlockerWhateverItsKeyspace() throws Exception {
    scene.shards.execute(
        "CREATE TABLE basket (id bigint, customer bigint, PRIMARY KEY (id, customer))");
    arm("earlier", "basket");
    scene.assertFinds(
        "BLOCKER  a: public.basket: migration earlier of keyspace other moves rows of this table; complete or cancel that one first");
    assertEquals(
        List.of("public.basket"),
        scene.check().findings().stream()
            .filter(finding -> finding.what().contains("migration earlier"))
            .map(finding -> finding.table().orElseThrow().toString())
            .toList());
  }

  /** As a migration of another keyspace does that has its control database elsewhere. */
  private void arm(String migration, String table) throws SQLException {
    Keyspace other =
        new Keyspace(
            "other",
            new HashBuckets(HashBuckets.Function.MODULO, 8),
            List.of(new ShardedTable(new TableId("public", table), "customer")),
            List.of());
    WorkerIdentity worker = new WorkerIdentity(migration, 1, Marker.random());
    Move move = new Move(CheckScene.A, CheckScene.B, BucketSet.of(4, 5));
    try (Connection connection = scene.sessions().open(CheckScene.A, "test")) {
      ShardSchema.install(connection);
      ShardSchema.takeLease(connection, worker);
      ShardSchema.install(connection, other.partitioning());
      Guard.install(connection);
      new Arming(other, worker, Patience.POLITE)
          .arm(connection, CheckScene.A, new Unit(migration, "a>b", List.of(move)), 1);
    }
  }
}
