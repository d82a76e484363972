package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.keyspace.SqlBuckets;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A migration of rows that an application's own function placed, while it writes all the time. */
@Timeout(300)
class PlacementIT {
  private static final long SOME = 30;

  /** {@link Shop} makes it, as an application would. */
  private static final Partitioning OWN = SqlBuckets.of("app.bucket_of({key})", 32);

  @TempDir private Path folder;

  static List<Arguments> functions() {
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
            "function: postgres, count: 30, type: bigint"),
        Arguments.of("by-own-function", OWN, "sql: \"app.bucket_of({key})\", count: 32"));
  }

  @ParameterizedTest
  @MethodSource("functions")
  void bucketsMoveAndComeBackWhileClientsWrite(
      String migration, Partitioning buckets, String inFile) throws Exception {
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
    String inFile = "sql: \"app.bucket_of({key})\", count: 32";
    try (Shop shop = Shop.open(folder, "by-another", 2, 3, OWN, inFile)) {
      String bucket = shop.shards.get("c").query("SELECT app.bucket_of(4711)").get(0);
      Answer route = Shop.run("route", "4711", "-f", shop.file.toString());
      assertTrue(
          route.text().contains("bucket    %s   (app.bucket_of({key}) into 32)".formatted(bucket)),
          route::toString);
      Answer none = Shop.run("route", "forty", "-f", shop.file.toString());
      assertEquals(ExitCode.USAGE.code(), none.exitCode(), none::toString);
      assertTrue(none.text().contains("refuses it with SQLSTATE 22P02"), none::toString);
      String file = Files.readString(shop.file);
      for (String other : List.of("app.place({key})\", count: 32", "app.bucket_of({key})\", count: 64")) {
        Files.writeString(shop.file, file.replace("app.bucket_of({key})\", count: 32", other));
        for (String command : List.of("check", "plan", "run")) {
          Answer refused = shop.run(command);
          assertEquals(ExitCode.USAGE.code(), refused.exitCode(), refused::toString);
          assertTrue(
              refused.text().contains("is stored as 'app.bucket_of({key}) into 32'"),
              refused::toString);
        }
      }
    }
  }

  private static int functionsOn(Shop shop) throws SQLException {
    int functions = 0;
    for (SandboxShard shard : shop.shards.all()) {
      functions +=
          Integer.parseInt(
              shard.query("SELECT count(*) FROM pg_proc WHERE proname LIKE 'bucket\\_%' AND pronamespace::regnamespace::text = 'reshard'").get(0));
    }
    return functions;
  }
}
