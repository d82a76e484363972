package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Shard c comes to the shop as an empty database. */
@Timeout(300)
@Tag("matrix")
class NewShardIT {
  private static final long SOME = 30;
  private static final String TABLES =
      "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";

  @TempDir private Path folder;

  @Test
  void anEmptyDatabaseIsGivenTheSchemaAndServesItsBuckets() throws Exception {
    try (Shop shop = Shop.open(folder, "empty", 2, 3)) {
      empty(shop);
      String check = shop.succeed("check").text();
      assertTrue(
          check.contains(
              "note  c: public.events, order_items, orders and 2 more: there is no such table; it will be made there"),
          check);
      assertTrue(
          check.contains("note  c: will be made as on a: 1 type, 1 sequence, 5 table"), check);
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("check");
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      assertEquals(tables(shop, "a"), tables(shop, "c"));
      shop.requireClean();
    }
  }

  @Test
  void aShardThatGaveItsBucketsBackKeepsItsSchemaAsItHasGivenOutIds() throws Exception {
    try (Shop shop = Shop.open(folder, "back", 2, 3)) {
      empty(shop);
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("rollback");
      assertEquals(
          "given up: nothing has moved; the copies on c are deleted",
          shop.succeed("complete").text().strip());
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      assertEquals(tables(shop, "a"), tables(shop, "c"));
      assertEquals(
          List.of("t"),
          shop.shards.get("c").query("SELECT last_value >= 1::bigint << 40 FROM orders_id_seq"));
      shop.requireClean();
    }
  }

  /** Then it has them already, and feeds nobody. */
  @Test
  void theHomeOfReferenceTablesMayBeTheNewShard() throws Exception {
    try (Shop shop = Shop.open(folder, "home", 2, 3)) {
      SandboxShard home = shop.shards.get("c");
      home.execute("INSERT INTO plans VALUES (1, 'the only one', 1)");
      try (Connection control = home.connect(SandboxRole.RESHARD)) {
        ShardMapStore.adopt(control, "shop", Shop.BUCKETS, shop.map());
      }
      Files.writeString(shop.file, Files.readString(shop.file).replace("control: a", "control: c"));
      shop.succeed("check");
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      while (!shop.run("status").text().contains("READY_FOR_CUTOVER")) {
        TimeUnit.MILLISECONDS.sleep(200); // between two looks
      }
      shop.succeed("verify");
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      assertEquals(List.of("the only one"), home.query("SELECT name FROM plans"));
      home.execute("DELETE FROM plans");
      shop.requireClean();
    }
  }

  private static void empty(Shop shop) throws SQLException {
    shop.shards
        .get("c")
        .execute(
            "DROP TABLE order_items, orders, events, tenants, plans", "DROP TYPE order_status");
  }

  private static List<String> tables(Shop shop, String shard) throws SQLException {
    return shop.shards.get(shard).query(TABLES);
  }
}
