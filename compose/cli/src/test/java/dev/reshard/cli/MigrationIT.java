package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A migration from its first command to its last, while clients write all the time. */
@Timeout(300)
class MigrationIT {
  private static final long SOME = 30;

  @TempDir private Path folder;

  @Test
  void bucketsMoveComeBackAndMoveAgainWhileClientsWrite() throws Exception {
    try (Shop shop = Shop.open(folder, "moves", 2, 3)) {
      shop.succeed("check");
      assertTrue(shop.succeed("plan").text().contains("c 0 > "));
      assertEquals(ExitCode.REFUSED.code(), shop.run("cutover").exitCode());
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);

      assertEquals(ExitCode.REFUSED.code(), shop.run("run").exitCode(), "a second worker");
      refusesToCutOverUnverified(shop);
      shop.succeed("verify");
      refusesToCutOverWithAGuardThatIsDisabled(shop);
      refusesToCutOverWhatWasRewrittenSinceItWasVerified(shop);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      assertEquals("COMPLETED", shop.state());
      assertTrue(shop.succeed("cutover").text().startsWith("already so"));
      shop.awaitTransactions(SOME);
      shop.succeed("rollback");
      assertEquals("ROLLED_BACK", shop.state());
      shop.awaitTransactions(SOME);
      shop.succeed("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("complete");

      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      assertEquals("CLEANED", shop.state());
      assertEquals(ExitCode.NO_WORKER.code(), shop.run("rollback").exitCode());
      shop.awaitTransactions(SOME);
      shop.requireClean();
      hasNothingToMoveAnyMore(shop);
    }
  }

  @Test
  void threeShardsBecomeTwoThatServeOtherBucketsAllTheTime() throws Exception {
    try (Shop shop = Shop.open(folder, "merge", 3, 2)) {
      shop.succeed("check");
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      for (String table : new String[] {"tenants", "orders", "order_items", "events"}) {
        assertEquals("0", shop.shards.get("c").query("SELECT count(*) FROM " + table).get(0));
      }
      shop.requireClean();
    }
  }

  private static void refusesToCutOverUnverified(Shop shop) throws Exception {
    List<String> units = units(shop);
    Answer answer = shop.run("cutover");
    assertEquals(ExitCode.REFUSED.code(), answer.exitCode(), answer::toString);
    assertTrue(answer.text().contains("verif"), answer::toString);
    assertEquals("READY_FOR_CUTOVER", shop.state());
    assertEquals(units, units(shop));
  }

  private static void refusesToCutOverWithAGuardThatIsDisabled(Shop shop) throws Exception {
    SandboxShard source = shop.shards.get("a");
    String trigger =
        source
            .query(
                """
                SELECT quote_ident(tgname) FROM pg_trigger
                 WHERE tgrelid = 'orders'::regclass AND tgname LIKE 'reshard%update' LIMIT 1""")
            .get(0);
    source.execute("ALTER TABLE orders DISABLE TRIGGER " + trigger);
    requireClosed(shop, "guards");
    source.execute("ALTER TABLE orders ENABLE ALWAYS TRIGGER " + trigger);
  }

  /** HAZARDS F5, F6: such a change tells no stream what it did to rows. */
  private static void refusesToCutOverWhatWasRewrittenSinceItWasVerified(Shop shop)
      throws Exception {
    shop.shards.get("a").execute("VACUUM FULL events");
    requireClosed(shop, "fingerprint");
  }

  private static void requireClosed(Shop shop, String gate) {
    Answer answer = shop.run("cutover");
    assertEquals(ExitCode.REFUSED.code(), answer.exitCode(), answer::toString);
    assertTrue(answer.text().contains("gate closed: " + gate), answer::toString);
  }

  private static List<String> units(Shop shop) throws SQLException {
    return shop.shards.get("a").query("SELECT u::text FROM reshard.stage_unit u ORDER BY 1");
  }

  private static void hasNothingToMoveAnyMore(Shop shop) throws Exception {
    for (String file : new String[] {shop.file.toString(), shop.sequel("again").toString()}) {
      Answer plan = Shop.run("plan", "-f", file);
      assertEquals(ExitCode.DONE.code(), plan.exitCode());
      assertTrue(plan.text().contains("nothing to move"), plan::toString);
    }
  }
}
