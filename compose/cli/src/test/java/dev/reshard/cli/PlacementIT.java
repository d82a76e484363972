package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.sandbox.SandboxShard;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** A migration of rows that an application's own function placed, while it writes all the time. */
@Timeout(300)
class PlacementIT {
  private static final long SOME = 30;

  private static final String IN_FILE =
      "directory: \"select tenant_id, shard from app.tenant_shard\"";

  /** {@link Shop} makes it and fills it. */
  private static final Partitioning DIRECTORY =
      DirectoryBuckets.of("shop", "select tenant_id, shard from app.tenant_shard")
          .withKeys(Shop.tenants());

  /** {@link Shop} makes it, as an application would. */
  private static final Partitioning OWN = SqlBuckets.of("app.bucket_of({key})", 32);

  private static final String OWN_IN_FILE = "sql: \"app.bucket_of({key})\", count: 32";

  @TempDir private Path folder;

  static List<Arguments> hashes() {
    return List.of(
        Arguments.of(
            "by-crc32",
            new HashBuckets(HashBuckets.Function.CRC32, 32),
            "function: crc32, count: 32"),
        Arguments.of(
            "by-murmur3",
            new HashBuckets(HashBuckets.Function.MURMUR3, 30),
            "function: murmur3, count: 30"),
        Arguments.of(
            "by-postgres",
            new PostgresBuckets(PostgresBuckets.Type.BIGINT, 30),
            "function: postgres, count: 30, type: bigint"));
  }

  @Tag("matrix")
  @ParameterizedTest
  @MethodSource("hashes")
  void bucketsByAHashMoveAndComeBackWhileClientsWrite(
      String migration, Partitioning buckets, String inFile) throws Exception {
    moveAndComeBack(migration, buckets, inFile);
  }

  @Tag("matrix")
  @Test
  void bucketsByAnOwnFunctionMoveAndComeBackWhileClientsWrite() throws Exception {
    moveAndComeBack("by-own-function", OWN, OWN_IN_FILE);
  }

  private void moveAndComeBack(String migration, Partitioning buckets, String inFile)
      throws Exception {
    try (Shop shop = Shop.open(folder, migration, 2, 3, buckets, inFile)) {
      shop.succeed("check");
      assertEquals(0, functionsOn(shop), "made by check");
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("rollback");
      shop.awaitTransactions(SOME);
      shop.succeed("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      shop.awaitTransactions(SOME);
      shop.requireClean();
    }
  }

  @Test
  void aStoredMapIsRefusedUnderAnotherFunctionOrCountAndAKeyIsRoutedByTheFunction()
      throws Exception {
    try (Shop shop = Shop.open(folder, "by-another", 2, 3, OWN, OWN_IN_FILE)) {
      String bucket = shop.shards.get("c").query("SELECT app.bucket_of(4711)").get(0);
      Answer route = Shop.run("route", "4711", "-f", shop.file.toString());
      assertTrue(
          route.text().contains("bucket    %s   (app.bucket_of({key}) into 32)".formatted(bucket)),
          route::toString);
      assertRefused("refuses it with SQLSTATE 22P02", shop, "route", "forty");
      String file = Files.readString(shop.file).replaceFirst("(?m)^from: .*\n", "");
      for (String other :
          List.of("app.place({key})\", count: 32", "app.bucket_of({key})\", count: 64")) {
        Files.writeString(shop.file, file.replace("app.bucket_of({key})\", count: 32", other));
        for (String command : List.of("check", "plan", "run")) {
          assertRefused("is stored as 'app.bucket_of({key}) into 32'", shop, command);
        }
        assertRefused("is stored as 'app.bucket_of({key}) into 32'", shop, "route", "1");
      }
    }
  }

  /** A tenant that the directory did not have stays, written all the time, and holds up nothing. */
  @Tag("matrix")
  @Test
  void keysOfADirectoryMoveAndComeBackAndWhatItDidNotHaveStaysUntilItIsAdoptedAnew()
      throws Exception {
    try (Shop shop = Shop.open(folder, "by-directory", 2, 3, DIRECTORY, IN_FILE)) {
      SandboxShard a = shop.shards.get("a");
      insertTenant(a, 999_998);
      shop.succeed("check");
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      insertTenant(a, 999_999);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      writeTenants(a);
      shop.awaitTransactions(SOME);
      shop.succeed("rollback");
      shop.awaitTransactions(SOME);
      shop.succeed("cutover");
      writeTenants(a);
      shop.awaitTransactions(SOME);
      Answer complete =
          Shop.run("complete", "by-directory", "--drop-fences", "-f", shop.file.toString());
      assertEquals(ExitCode.DONE.code(), complete.exitCode(), complete::toString);
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      writeTenants(a);
      assertRefused("'999999' lies in no bucket", shop, "route", "999999");
      shop.awaitTransactions(SOME);
      shop.clients.stop();
      moveWhatCameLater(shop);
      shop.shards.get("c").execute("DELETE FROM tenants WHERE id >= 999998");
      a.execute("DELETE FROM tenants WHERE id >= 999998");
      shop.requireClean();
    }
  }

  /** Under another keyspace name, once the application has brought its table up to date. */
  private static void moveWhatCameLater(Shop shop) throws Exception {
    SandboxShard a = shop.shards.get("a");
    a.executeAsSuperuser(
        """
        UPDATE app.tenant_shard t SET shard = o.owner
          FROM reshard.directory d JOIN reshard.owners o USING (keyspace, bucket)
         WHERE d.keyspace = 'shop' AND d.key = t.tenant_id::text AND o.owner <> t.shard""",
        "INSERT INTO app.tenant_shard VALUES (999999, 'a')");
    shop.begin("by-directory-again");
    shop.aimAt("c: [999999]");
    Files.writeString(
        shop.file, Files.readString(shop.file).replace("  name: shop\n", "  name: shop-again\n"));
    CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
    shop.awaitState(MigrationState.READY_FOR_CUTOVER);
    shop.succeed("verify");
    shop.succeedOnceGatesOpen("cutover");
    shop.succeed("complete");
    assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
    String late = "SELECT id FROM tenants WHERE id >= 999998";
    assertEquals(List.of("999998"), a.query(late));
    assertEquals(List.of("999999"), shop.shards.get("c").query(late));
  }

  @Test
  void aDirectoryIsReadWhenItsKeyspaceIsAdoptedAndWhatIsWrongWithItIsNamed() throws Exception {
    try (Shop shop = Shop.open(folder, "by-unread", 2, 3, DIRECTORY, IN_FILE)) {
      shop.clients.stop();
      SandboxShard a = shop.shards.get("a");
      a.executeAsSuperuser("DROP SCHEMA reshard CASCADE");
      shop.aimAt("c: [\"38\", 1]");
      Answer plan = shop.run("plan");
      assertEquals(ExitCode.DONE.code(), plan.exitCode(), plan::toString);
      assertTrue(plan.text().contains("a > c  1 buckets [0]"), plan::toString);
      assertTrue(plan.text().contains("50 buckets"), plan::toString);
      Answer route = Shop.run("route", "38", "-f", shop.file.toString());
      assertTrue(route.text().contains("directory 'select tenant_id"), route::toString);
      shop.aimAt("c: [4711]");
      assertRefused("'4711' is not in the directory", shop, "plan");
      shop.aimAt("balance: [a, b, c]");
      a.execute("INSERT INTO app.tenant_shard VALUES (2, 'z')");
      assertRefused("it names shard 'z', and under shards there are [a, b, c]", shop, "check");
      a.execute("DROP TABLE app.tenant_shard");
      assertRefused("the query must give a key and its shard", shop, "plan");
    }
  }

  private static void insertTenant(SandboxShard shard, long id) throws SQLException {
    shard.execute(
        "INSERT INTO tenants (id, name, plan_id, created_at, version) VALUES (%d, 'late', 1, now(), 1)"
            .formatted(id));
  }

  private static void writeTenants(SandboxShard shard) throws SQLException {
    assertEquals(
        List.of("999998", "999999"),
        shard.query("UPDATE tenants SET version = version + 1 WHERE id >= 999998 RETURNING id"));
  }

  private static void assertRefused(String why, Shop shop, String... words) {
    StringWriter text = new StringWriter();
    CommandLine line = Main.commandLine(new PrintWriter(text, true));
    line.setErr(new PrintWriter(text, true));
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("-f", shop.file.toString()));
    int exitCode = line.execute(all.toArray(String[]::new));
    assertEquals(ExitCode.USAGE.code(), exitCode, text::toString);
    assertTrue(text.toString().contains(why), text::toString);
  }

  private static int functionsOn(Shop shop) throws SQLException {
    int functions = 0;
    for (SandboxShard shard : shop.shards.all()) {
      functions +=
          Integer.parseInt(
              shard
                  .query(
                      "SELECT count(*) FROM pg_proc WHERE proname LIKE 'bucket\\_%' AND pronamespace::regnamespace::text = 'reshard'")
                  .get(0));
    }
    return functions;
  }
}
