package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Files;
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
      String order = orderThatChangesItsTenant(shop.shards.get("c"));
      shop.succeed("rollback");
      assertEquals("ROLLED_BACK", shop.state());
      cameBackWhole(order, shop.shards.get("b"));
      shop.awaitTransactions(SOME);
      shop.succeed("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("complete");

      tellsEachState(worker.get(30, TimeUnit.SECONDS));
      assertEquals("CLEANED", shop.state());
      hasEnded(shop);
      shop.awaitTransactions(SOME);
      shop.requireClean();
      hasNothingToMoveAnyMore(shop);
    }
  }

  @Test
  void threeShardsBecomeTwoThatExchangeBucketsOfTheirOwn() throws Exception {
    try (Shop shop = Shop.open(folder, "merge", 3, 2)) {
      shop.aimAt("a: [0-4, 16-26], b: [5-15, 27-31]"); // they had [0-9] and [10-20]
      shop.shards.execute("CREATE TABLE notes (tenant_id bigint PRIMARY KEY, text text)");
      shop.succeed("check");
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      goesOnAfterDdlThatBothSidesHave(shop);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.awaitTransactions(SOME);
      shop.succeedOnceGatesOpen("rollback");
      shop.awaitTransactions(SOME);
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

  /** HAZARDS F5: a lane stops at the first row that the other side has no column for. */
  private static void goesOnAfterDdlThatBothSidesHave(Shop shop) throws Exception {
    String ddl = "ALTER TABLE notes ADD COLUMN extra int";
    shop.shards.get("c").execute(ddl, "INSERT INTO notes VALUES (22, 'moves to a', 1)");
    shop.awaitState(MigrationState.PAUSED);
    Answer status = shop.run("status");
    assertTrue(status.text().contains("column \"extra\" (integer) was added"), status::toString);
    shop.shards.get("a").execute(ddl);
    Answer tooEarly = shop.run("resume");
    assertEquals(ExitCode.REFUSED.code(), tooEarly.exitCode(), tooEarly::toString);
    assertTrue(
        tooEarly.text().contains("column \"extra\" is integer on a, missing on b"),
        tooEarly::toString);
    shop.shards.get("b").execute(ddl);
    shop.succeed("resume");
    while (shop.shards.get("a").query("SELECT extra FROM notes").isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(100); // between two looks
    }
  }

  /** HAZARDS F9: from a bucket that goes back to a into one that goes back to b. */
  private static String orderThatChangesItsTenant(SandboxShard c) throws SQLException {
    String id =
        c.query(
                """
                INSERT INTO orders (tenant_id, status, amount, tags, payload, note, placed_at, version)
                SELECT (SELECT min(id) FROM tenants WHERE id % 32 < 16), status, amount, tags, payload,
                       (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n), placed_at, 1
                  FROM orders LIMIT 1 RETURNING id""")
            .get(0);
    c.execute(
        "UPDATE orders SET tenant_id = (SELECT min(id) FROM tenants WHERE id % 32 >= 16) WHERE id = "
            + id);
    return id;
  }

  private static void cameBackWhole(String order, SandboxShard b) throws SQLException {
    assertEquals(List.of("9600"), b.query("SELECT length(note) FROM orders WHERE id = " + order));
    b.execute("DELETE FROM orders WHERE id = " + order);
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

  /** HAZARDS F5, F6: it need not be paused for, but was not what was compared. */
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

  private static void tellsEachState(Answer worker) {
    assertEquals(ExitCode.DONE.code(), worker.exitCode());
    List<String> lines = worker.text().lines().toList();
    assertTrue(lines.get(0).startsWith("working on moves; log: "), worker::toString);
    assertTrue(lines.get(1).contains("  PENDING > PREPARING  "), worker::toString);
    assertTrue(worker.text().contains("  CUTTING_OVER > COMPLETED  "), worker::toString);
    assertTrue(lines.get(lines.size() - 2).contains("  CLEANING_UP > CLEANED  "), worker::toString);
    assertEquals("migration moves is CLEANED", lines.get(lines.size() - 1));
  }

  private static void hasEnded(Shop shop) {
    Answer rollback = shop.run("rollback");
    assertEquals(ExitCode.REFUSED.code(), rollback.exitCode(), rollback::toString);
    assertEquals("moves is CLEANED: it has ended; nothing to hand back", rollback.text().strip());
    Answer complete = shop.succeed("complete");
    assertTrue(
        complete.text().startsWith("already so: moves was completed and cleaned at "),
        complete::toString);
  }

  private static void hasNothingToMoveAnyMore(Shop shop) throws Exception {
    Path sequel = shop.sequel("again");
    Answer contradicting = Shop.run("plan", "-f", sequel.toString());
    assertEquals(ExitCode.USAGE.code(), contradicting.exitCode(), contradicting::toString);
    Files.writeString(sequel, Files.readString(sequel).replaceFirst("(?m)^from:.*$", ""));
    for (Path file : new Path[] {shop.file, sequel}) {
      Answer plan = Shop.run("plan", "-f", file.toString());
      assertEquals(ExitCode.DONE.code(), plan.exitCode());
      assertTrue(plan.text().contains("nothing to move"), plan::toString);
    }
  }
}
