package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** HAZARDS F4-F6: somebody alters tables while both directions replicate and clients write. */
@Timeout(180)
class DdlWhileItRunsIT {
  private static final long SOME = 30;

  @TempDir private Path folder;

  @Test
  void itIsPausedUntilAllShardsHaveTheSameTablesAndGoesOnWithoutALostRow() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl", 2, 3)) {
      shop.shards.execute(
          "CREATE TABLE days (tenant_id bigint, day int, PRIMARY KEY (tenant_id, day)) PARTITION BY RANGE (day)",
          "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)",
          "CREATE TABLE logs (tenant_id bigint NOT NULL, day int, line text) PARTITION BY RANGE (day)",
          "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (10)");
      shop.shards
          .get("a")
          .execute(
              "INSERT INTO days SELECT g, 1 FROM generate_series(0, 15) g",
              "INSERT INTO logs SELECT g, 1, 'old' FROM generate_series(0, 15) g");
      CompletableFuture<Shop.Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);

      goesOnAfterAColumnWasAddedEverywhere(shop);
      aNewEmptyPartitionNeedsNobody(shop);
      aNewPartitionOfATableWithoutAKeyTakesChanges(shop);
      pausesForAPartitionThatWasAwayForAMoment(shop);
      pausesForAnAttachedPartitionWithRows(shop);
      pausesForADetachedPartition(shop);
      aTableThatIsMadeMeanwhileShutsTheGates(shop);

      shop.awaitTransactions(SOME);
      shop.succeed("verify");
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
      assertEquals(List.of("d"), identities(shop.shards.get("a")));
    }
  }

  /** Of the partitions of logs. */
  private static List<String> identities(SandboxShard shard) throws Exception {
    return shard.query(
        "SELECT DISTINCT relreplident FROM pg_class WHERE relispartition AND relname ~ '^logs_'");
  }

  /**
   * Nothing is paused then, as the way back must stay open: but not for rows that are not there.
   */
  @Test
  @Tag("matrix")
  void afterACutoverAChangeWithoutAMessageShutsTheWayBackUntilAnOperatorTookIt() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl-back", 2, 3)) {
      shop.shards.execute(
          "CREATE TABLE days (tenant_id bigint, day int, PRIMARY KEY (tenant_id, day)) PARTITION BY RANGE (day)",
          "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)");
      shop.shards.get("a").execute("INSERT INTO days SELECT g, 1 FROM generate_series(0, 15) g");
      CompletableFuture<Shop.Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.shards.get("c").execute("DROP TABLE days_1");
      String told = "partition public.days_1 was detached or dropped";
      while (!shop.run("status").text().replaceAll("\\s+", " ").contains(told)) {
        TimeUnit.MILLISECONDS.sleep(50); // the catalogs are looked at every second
      }
      Shop.Answer refused = shop.run("rollback");
      assertTrue(refused.exitCode() != ExitCode.DONE.code(), refused::toString);
      assertTrue(refused.text().replaceAll("\\s+", " ").contains(told), refused::toString);
      shop.shards.get("a").execute("DROP TABLE days_1");
      shop.succeed("resume");
      shop.succeedOnceGatesOpen("rollback");
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void aTruncateEmptiesTheDestinationsAndARewriteOfAPlainTableNeedsNobody() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl-rewrite", 2, 3)) {
      shop.shards.execute("CREATE TABLE notes (tenant_id bigint PRIMARY KEY, note text)");
      SandboxShard a = shop.shards.get("a");
      a.execute("INSERT INTO notes SELECT g, 'old' FROM generate_series(0, 15) g");
      CompletableFuture<Shop.Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      assertEquals(List.of("5"), shop.shards.get("c").query("SELECT count(*) FROM notes"));

      a.execute(
          "TRUNCATE notes", "INSERT INTO notes SELECT g, 'new' FROM generate_series(11, 12) g");
      shop.shards.execute("VACUUM FULL orders", "CLUSTER order_items USING order_items_pkey");
      shop.awaitTransactions(SOME);
      TimeUnit.SECONDS.sleep(3); // the catalogs are looked at every second
      assertEquals("READY_FOR_CUTOVER", shop.state());
      shop.succeed("verify");
      assertEquals(
          List.of("11 new", "12 new"),
          shop.shards.get("c").query("SELECT tenant_id || ' ' || note FROM notes ORDER BY 1"));

      a.execute("ALTER TABLE notes ALTER COLUMN note TYPE text USING upper(note)");
      shop.awaitState(MigrationState.PAUSED);
      tells(shop, "table public.notes on shard a: it was rewritten");
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void aColumnThatOnlyTheSourceHasStaysBehindAndRowsGoOnBothWays() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl-source", 2, 3)) {
      SandboxShard a = shop.shards.get("a");
      SandboxShard c = shop.shards.get("c");
      makeNotes(shop);
      try (WorkerProcess first = WorkerProcess.start(folder.resolve("migration.yaml"))) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        a.execute(
            "ALTER TABLE notes ADD COLUMN extra text DEFAULT 'x'",
            "INSERT INTO notes SELECT g, 'late', 'y' FROM generate_series(96, 111) g");
        awaitPauseFor(shop, "notes on shard a: column \"extra\" (text) was added", first);
      }
      shop.ignoreColumns("public.notes: [extra]");
      try (WorkerProcess second = WorkerProcess.start(folder.resolve("migration.yaml"))) {
        resume(shop);
        a.execute(
            "INSERT INTO notes SELECT g, 'later', 'z' FROM generate_series(192, 207) g",
            "UPDATE notes SET note = 'changed', extra = 'new' WHERE tenant_id < 4 OR tenant_id > 203",
            "DELETE FROM notes WHERE tenant_id IN (5, 101, 197, 13, 109)");
        shop.awaitTransactions(SOME);
        shop.succeed("verify");
        shop.succeedOnceGatesOpen("cutover");
        assertEquals(
            List.of("0"), c.query("SELECT count(*) FROM notes WHERE tenant_id IN (13, 109)"));
        c.execute("UPDATE notes SET note = 'at c' WHERE note IN ('late', 'later')");
        long moved =
            Long.parseLong(c.query("SELECT count(*) FROM notes WHERE note = 'at c'").get(0));
        assertTrue(moved > 0, "nothing of notes moved");
        shop.succeedOnceGatesOpen("rollback");
        assertEquals(
            List.of(Long.toString(moved)),
            a.query("SELECT count(*) FROM notes WHERE note = 'at c' AND extra IN ('y', 'z')"));
        shop.succeed("complete");
        assertEquals(ExitCode.DONE.code(), second.awaitEnd());
      }
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void aColumnThatOnlyTheDestinationHasGetsItsDefaultAndRowsGoOn() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl-destination", 2, 3)) {
      makeNotes(shop);
      SandboxShard c = shop.shards.get("c");
      try (WorkerProcess first = WorkerProcess.start(folder.resolve("migration.yaml"))) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        c.execute("ALTER TABLE notes ADD COLUMN grade int NOT NULL DEFAULT 5");
        awaitPauseFor(
            shop, "notes on shard c: column \"grade\" (integer NOT NULL) was added", first);
      }
      shop.ignoreColumns("public.notes: [grade]");
      try (WorkerProcess second = WorkerProcess.start(folder.resolve("migration.yaml"))) {
        resume(shop);
        shop.shards
            .get("a")
            .execute("INSERT INTO notes SELECT g, 'later' FROM generate_series(192, 207) g");
        shop.awaitTransactions(SOME);
        shop.succeed("verify");
        assertEquals(
            List.of("5"), c.query("SELECT DISTINCT grade FROM notes WHERE note = 'later'"));
        shop.succeed("cancel");
        assertEquals(ExitCode.DONE.code(), second.awaitEnd());
      }
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void guardsTellAColumnThatWasAddedEverywhereWithoutANewWorker() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl-guards", 2, 3)) {
      makeNotes(shop);
      CompletableFuture<Shop.Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      awaitToldByGuards(shop, "note");

      SandboxShard a = shop.shards.get("a");
      a.execute("ALTER TABLE notes ADD COLUMN extra text");
      shop.awaitState(MigrationState.PAUSED);
      for (String other : List.of("b", "c")) {
        shop.shards.get(other).execute("ALTER TABLE notes ADD COLUMN extra text");
      }
      resume(shop);
      awaitToldByGuards(shop, "extra");
      a.execute(
          "UPDATE notes SET extra = (SELECT string_agg(md5(g || note), '') FROM generate_series(1, 300) g)",
          "UPDATE notes SET tenant_id = 47 - tenant_id WHERE tenant_id < 8"); // into moving buckets
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.succeedOnceGatesOpen("rollback");
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  /** The function that tells rows of notes knows the column on every shard that has a guard. */
  private static void awaitToldByGuards(Shop shop, String column) throws Exception {
    String sql =
        "SELECT count(*) FROM pg_proc WHERE proname = 'row_' || 'notes'::regclass::oid AND strpos(prosrc, 'NEW.\"%s\"') > 0"
            .formatted(column);
    for (String shard : List.of("a", "c")) {
      while (!shop.shards.get(shard).query(sql).equals(List.of("1"))) {
        TimeUnit.MILLISECONDS.sleep(50); // the worker looks many times a second
      }
    }
  }

  @Test
  @Tag("matrix")
  void whileItCopiesItIsPausedWithTheDifferenceAndGoesOnOnceTheShardsAreAlike() throws Exception {
    try (Shop shop = Shop.open(folder, "ddl-copy", 2, 3)) {
      makeNotes(shop);
      shop.shards.execute(
          "CREATE TABLE days (tenant_id bigint, day int, PRIMARY KEY (tenant_id, day)) PARTITION BY RANGE (day)",
          "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)");
      Path file = folder.resolve("migration.yaml");
      String slow = "throttle: { rate: 5kB/s }";
      shop.writeFile("budget: { pause: 5s }", slow);
      SandboxShard a = shop.shards.get("a");
      String ddl = "ALTER TABLE notes ADD COLUMN extra text DEFAULT 'x'";
      try (WorkerProcess first = WorkerProcess.start(file)) {
        shop.awaitState(MigrationState.COPYING);
        shop.shards.execute("CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)");
        a.execute("VACUUM FULL notes", "VACUUM FULL orders");
        TimeUnit.SECONDS.sleep(3); // the catalogs are looked at every second
        assertEquals("COPYING", shop.state());

        long begin = System.nanoTime();
        a.execute(ddl, "UPDATE notes SET extra = 'y' WHERE tenant_id > 7");
        awaitPauseFor(
            shop, "table public.notes: column \"extra\" is text on a, missing on b", first);
        assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(30));
        shop.shards.get("b").execute(ddl);
        shop.shards.get("c").execute(ddl);
        shop.succeed("resume");
        shop.awaitState(MigrationState.COPYING);
        shop.awaitTransactions(SOME);

        a.execute("ALTER TABLE days ADD COLUMN hour int");
        awaitPauseFor(
            shop, "table public.days: column \"hour\" is integer on a, missing on b", first);
      }
      shop.ignoreColumns("public.days: [hour]");
      try (WorkerProcess second = WorkerProcess.start(file)) {
        resume(shop);
        shop.awaitTransactions(SOME);
        shop.succeed("verify");
        assertEquals(List.of("y"), shop.shards.get("c").query("SELECT DISTINCT extra FROM notes"));
        shop.succeed("cancel");
        assertEquals(ExitCode.DONE.code(), second.awaitEnd());
      }
      shop.requireClean();
    }
  }

  private static void makeNotes(Shop shop) throws Exception {
    shop.shards.execute("CREATE TABLE notes (tenant_id bigint PRIMARY KEY, note text)");
    shop.shards.get("a").execute("INSERT INTO notes SELECT g, 'old' FROM generate_series(0, 15) g");
  }

  private static void awaitPauseFor(Shop shop, String change, WorkerProcess worker)
      throws Exception {
    shop.awaitState(MigrationState.PAUSED);
    tells(shop, change);
    tells(
        shop,
        "run the same DDL on the other shards, or, if the column may stay behind, name it under keyspace.tables.ignored_columns in the file and start the worker anew");
    assertEquals(ExitCode.REFUSED.code(), shop.run("resume").exitCode());
    assertTrue(worker.farewell().isEmpty());
  }

  private static void goesOnAfterAColumnWasAddedEverywhere(Shop shop) throws Exception {
    String ddl = "ALTER TABLE days ADD COLUMN extra text DEFAULT 'x'";
    shop.shards
        .get("a")
        .execute(ddl, "INSERT INTO days SELECT g, 2, 'new' FROM generate_series(0, 15) g");
    shop.awaitState(MigrationState.PAUSED);
    tells(shop, "table public.days on shard a: column \"extra\" (text) was added");
    tells(shop, "run the same DDL on the other shards");
    shop.awaitTransactions(SOME);
    Shop.Answer tooEarly = shop.run("resume");
    assertEquals(ExitCode.REFUSED.code(), tooEarly.exitCode(), tooEarly::toString);
    assertTrue(
        tooEarly.text().contains("column \"extra\" is text on a, missing on b"),
        tooEarly::toString);
    shop.shards.get("b").execute(ddl);
    shop.shards.get("c").execute(ddl);
    resume(shop);
    shop.awaitTransactions(SOME);
  }

  private static void aNewEmptyPartitionNeedsNobody(Shop shop) throws Exception {
    shop.shards.execute("CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)");
    shop.shards.get("a").execute("INSERT INTO days SELECT g, 11 FROM generate_series(0, 15) g");
    TimeUnit.SECONDS.sleep(3); // the catalogs are looked at every second
    assertEquals("READY_FOR_CUTOVER", shop.state());
  }

  private static void aNewPartitionOfATableWithoutAKeyTakesChanges(Shop shop) throws Exception {
    shop.shards.execute("CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (10) TO (20)");
    SandboxShard a = shop.shards.get("a");
    while (!identities(a).equals(List.of("f"))) {
      TimeUnit.MILLISECONDS.sleep(50); // the catalogs are looked at every second
    }
    a.execute(
        "INSERT INTO logs SELECT g, 11, 'old' FROM generate_series(0, 15) g",
        "UPDATE logs SET line = 'new' WHERE tenant_id % 2 = 1",
        "UPDATE logs SET tenant_id = 15 - tenant_id WHERE tenant_id IN (0, 15)",
        "DELETE FROM logs WHERE tenant_id IN (2, 13)");
  }

  private static void pausesForAPartitionThatWasAwayForAMoment(Shop shop) throws Exception {
    shop.shards
        .get("a")
        .execute(
            "BEGIN; ALTER TABLE days DETACH PARTITION days_2; ALTER TABLE days ATTACH PARTITION days_2 FOR VALUES FROM (10) TO (20); COMMIT");
    shop.awaitState(MigrationState.PAUSED);
    tells(shop, "partition public.days_2 was detached, and attached again");
    resume(shop);
  }

  private static void pausesForAnAttachedPartitionWithRows(Shop shop) throws Exception {
    SandboxShard a = shop.shards.get("a");
    a.execute(
        "CREATE TABLE later (tenant_id bigint NOT NULL, day int NOT NULL, extra text, PRIMARY KEY (tenant_id, day))",
        "INSERT INTO later SELECT g, 21 FROM generate_series(0, 15) g",
        "ALTER TABLE days ATTACH PARTITION later FOR VALUES FROM (20) TO (30)");
    shop.awaitState(MigrationState.PAUSED);
    tells(shop, "partition public.later was attached with rows");
    a.execute("ALTER TABLE days DETACH PARTITION later");
    shop.shards.execute("CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM (20) TO (30)");
    a.execute("INSERT INTO days SELECT * FROM later", "DROP TABLE later");
    resume(shop);
  }

  private static void pausesForADetachedPartition(Shop shop) throws Exception {
    SandboxShard a = shop.shards.get("a");
    a.execute("ALTER TABLE days DETACH PARTITION days_1");
    shop.awaitState(MigrationState.PAUSED);
    tells(shop, "partition public.days_1 was detached or dropped");
    a.execute(
        "ALTER TABLE days ATTACH PARTITION days_1 FOR VALUES FROM (0) TO (10)",
        "DELETE FROM days WHERE day < 10 AND tenant_id < 8");
    resume(shop);
  }

  /** Its rows would stay behind, as nobody copied them. */
  private static void aTableThatIsMadeMeanwhileShutsTheGates(Shop shop) throws Exception {
    shop.shards.execute("CREATE TABLE invoices (tenant_id bigint PRIMARY KEY)");
    while (!shop.run("status").text().contains("public.invoices on [a, b, c]")) {
      TimeUnit.MILLISECONDS.sleep(50); // the catalogs are looked at every second
    }
    tells(shop, "came after the migration began: their rows are not moved");
    Shop.Answer refused = shop.run("cutover");
    assertTrue(refused.exitCode() != ExitCode.DONE.code(), refused::toString);
    assertTrue(refused.text().contains("new tables"), refused::toString);
    shop.shards.execute("DROP TABLE invoices");
  }

  private static void tells(Shop shop, String text) {
    Shop.Answer status = shop.run("status");
    assertTrue(status.text().replaceAll("\\s+", " ").contains(text), status::toString);
  }

  private static void resume(Shop shop) throws Exception {
    shop.succeedOnceAlive("resume");
    assertEquals(0, shop.clients.failed(), shop.clients.failures()::toString);
    shop.awaitState(MigrationState.READY_FOR_CUTOVER);
  }
}
