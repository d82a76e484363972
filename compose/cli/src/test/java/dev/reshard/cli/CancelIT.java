package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Migrations that are paused, and migrations that are given up before anything moved. */
@Timeout(400)
class CancelIT {
  private static final long SOME = 30;

  /** Everything that could be ours, or be changed by us, save the control database's records. */
  private static final String CATALOG =
      """
      SELECT 'table ' || c.oid::regclass || ' ' || c.relreplident::text FROM pg_class c
        WHERE c.relkind IN ('r', 'p', 'i', 'S') AND c.relnamespace = 'public'::regnamespace
      UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger
        WHERE tgrelid::regclass::text NOT LIKE 'reshard.%'
      UNION ALL SELECT 'publication ' || pubname FROM pg_publication
      UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
        WHERE database = current_database()
      UNION ALL SELECT 'sequence ' || seqrelid::regclass || ' ' || seqmax || ' ' || seqincrement
        FROM pg_sequence WHERE seqrelid::regclass::text NOT LIKE 'reshard.%'
      UNION ALL SELECT 'schema ' || nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND NOT (nspname = 'reshard' AND current_database() ~ '_a$')
      ORDER BY 1""";

  @TempDir private Path folder;

  @Test
  void cancelledInAnyStateBeforeACutoverItLeavesNothing() throws Exception {
    try (Shop shop = Shop.open(folder, "cancel-copying", 2, 3)) {
      Map<String, Object> before = catalogs(shop);
      CompletableFuture<Answer> worker = shop.ask("run");
      try (Connection holder = shop.shards.get("c").connect(SandboxRole.SUPERUSER)) {
        execute(holder, "BEGIN; LOCK TABLE plans IN SHARE MODE");
        shop.awaitState(MigrationState.COPYING);
        CompletableFuture<Answer> cancelled = shop.ask("cancel");
        shop.awaitAsked("cancel");
        execute(holder, "ROLLBACK");
        requireCancelled(shop, cancelled.get(), worker, before);
      }

      shop.begin("cancel-catching-up", "gates: { lag: 0s }");
      worker = shop.ask("run");
      shop.awaitState(MigrationState.CATCHING_UP);
      shop.awaitTransactions(SOME);
      requireCancelled(shop, shop.run("cancel"), worker, before);

      shop.begin("cancel-paused");
      worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      pauseAndResume(shop);
      shop.succeed("pause");
      requireCancelled(shop, shop.run("cancel"), worker, before);

      neverDeletesRowsThatItDidNotLoad(shop);

      shop.begin("cancel-failed");
      shop.beginOnly();
      shop.shards
          .get("a")
          .execute(
              """
              INSERT INTO tenants
              SELECT (jsonb_populate_record(t, '{"id": 1000031}')).* FROM tenants t LIMIT 1""");
      worker = shop.ask("run");
      awaitFailed(shop);
      requireCancelled(shop, shop.run("cancel"), worker, before);
      shop.shards.get("a").execute("DELETE FROM tenants WHERE id = 1000031");
      shop.requireClean();
    }
  }

  /** What is in the way is told, and nobody has to start the worker again to cancel. */
  private static void neverDeletesRowsThatItDidNotLoad(Shop shop) throws Exception {
    SandboxShard destination = shop.shards.get("c");
    shop.begin("cancel-foreign-rows");
    shop.beginOnly();
    destination.execute("INSERT INTO plans VALUES (77, 'somebody else''s', 1)");
    CompletableFuture<Answer> worker = shop.ask("run");
    shop.awaitState(MigrationState.COPYING);
    while (!shop.run("status").text().contains("public.plans")) {
      TimeUnit.MILLISECONDS.sleep(200); // between two looks
    }
    shop.succeed("cancel");
    assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
    assertEquals("1", destination.query("SELECT count(*) FROM plans").get(0));
    destination.execute("DELETE FROM plans");
  }

  private static void awaitFailed(Shop shop) throws Exception {
    while (!shop.state().equals(MigrationState.FAILED.name())) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
    Answer status = shop.run("status");
    assertTrue(status.text().contains("reshard cancel"), status::toString);
    assertTrue(status.text().contains("kept by our replication slots"), status::toString);
  }

  private static void pauseAndResume(Shop shop) throws Exception {
    Answer paused = Shop.run("pause", "--reason", "the lunch hour", "-f", shop.file.toString());
    assertEquals(ExitCode.DONE.code(), paused.exitCode(), paused::toString);
    Answer status = shop.run("status");
    assertTrue(status.text().contains("PAUSED"), status::toString);
    assertTrue(status.text().contains("the lunch hour"), status::toString);
    String applied = applied(shop);
    shop.awaitTransactions(SOME);
    assertEquals(applied, applied(shop), "applied while paused");
    assertEquals(ExitCode.REFUSED.code(), shop.run("cutover").exitCode());
    shop.succeed("resume");
    while (applied.equals(applied(shop))) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
    assertEquals("READY_FOR_CUTOVER", shop.state());
  }

  private static String applied(Shop shop) throws SQLException {
    return shop.shards.get("c").query("SELECT max(applied) FROM reshard.lane").get(0);
  }

  private static void requireCancelled(
      Shop shop, Answer answer, CompletableFuture<Answer> worker, Map<String, Object> before)
      throws Exception {
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
    assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
    assertEquals("CLEANED", shop.state());
    assertEquals(before, catalogs(shop));
    for (String table : new String[] {"tenants", "orders", "order_items", "events", "plans"}) {
      assertEquals("0", shop.shards.get("c").query("SELECT count(*) FROM " + table).get(0));
    }
  }

  private static Map<String, Object> catalogs(Shop shop) throws SQLException {
    Map<String, Object> catalogs = new TreeMap<>();
    for (SandboxShard shard : shop.shards.all()) {
      catalogs.put(shard.name(), shard.query(CATALOG));
    }
    return catalogs;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
