package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

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

@Timeout(120)
@Tag("matrix")
class OtherPartitionsIT {
  private static final String DAYS =
      "CREATE TABLE days (tenant_id bigint, day int, note text, PRIMARY KEY (tenant_id, day)) PARTITION BY RANGE (day)";

  @TempDir private Path folder;

  @Test
  void rowsGoThereAndBackIntoWhateverPartitionsAShardHas() throws Exception {
    try (Shop shop = Shop.open(folder, "partitions", 2, 3)) {
      SandboxShard a = shop.shards.get("a");
      SandboxShard c = shop.shards.get("c");
      makeSources(shop);
      c.execute(
          DAYS,
          "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (3)",
          "CREATE TABLE others PARTITION OF days DEFAULT");
      CompletableFuture<Shop.Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      a.execute(
          "UPDATE days SET note = 'new', day = 19 - day WHERE day = 1 AND tenant_id % 2 = 0",
          "DELETE FROM days WHERE day = 5",
          "INSERT INTO days SELECT g, 5, 'late' FROM generate_series(0, 15) g");
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      long moved = Long.parseLong(c.query("SELECT count(*) FROM days WHERE note = 'late'").get(0));
      c.execute("UPDATE days SET note = 'at c', day = 19 WHERE day = 5");
      shop.succeedOnceGatesOpen("rollback");
      assertEquals(
          List.of(Long.toString(moved)), a.query("SELECT count(*) FROM days WHERE note = 'at c'"));
      assertEquals(
          List.of("public.days_1", "public.others"),
          c.query(
              "SELECT 'public.' || relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1"));
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  private static void makeSources(Shop shop) throws Exception {
    for (String source : List.of("a", "b")) {
      shop.shards
          .get(source)
          .execute(
              DAYS,
              "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)",
              "CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)");
    }
    shop.shards
        .get("a")
        .execute("INSERT INTO days SELECT g % 16, g / 16, 'old' FROM generate_series(0, 287) g");
  }

  @Test
  void whatAShardLacksBesideItsOwnPartitionsIsMadeAndTakesRowsBothWays() throws Exception {
    try (Shop shop = Shop.open(folder, "beside", 2, 3)) {
      SandboxShard a = shop.shards.get("a");
      SandboxShard c = shop.shards.get("c");
      makeSources(shop);
      c.execute(DAYS, "CREATE TABLE own PARTITION OF days FOR VALUES FROM (-5) TO (7)");
      Shop.Answer refused = shop.run("run");
      assertEquals(ExitCode.BLOCKED.code(), refused.exitCode(), refused::toString);
      assertEquals("", shop.state());

      c.execute("CREATE TABLE more PARTITION OF days FOR VALUES FROM (7) TO (10)");
      CompletableFuture<Shop.Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      a.execute("UPDATE days SET note = 'new', day = 19 WHERE day = 9");
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      c.execute("UPDATE days SET note = 'at c', day = 18 WHERE day = 19");
      shop.succeedOnceGatesOpen("rollback");
      assertEquals(
          c.query("SELECT count(*) FROM days_2 WHERE note = 'at c'"),
          a.query("SELECT count(*) FROM days_2 WHERE note = 'at c'"));
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      assertEquals(List.of("t"), c.query("SELECT to_regclass('days_2') IS NOT NULL"));
      shop.requireClean();
    }
  }
}
