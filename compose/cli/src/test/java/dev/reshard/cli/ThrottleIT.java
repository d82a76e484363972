package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The work of a migration under way, held back by its file and by commands. */
@Timeout(180)
class ThrottleIT {
  /** After so long a command counts. */
  private static final long NOTICED_S = 3;

  private static final Pattern PURGED =
      Pattern.compile("rows purged: (\\d+) from a, (\\d+) from b");

  @TempDir private Path folder;

  @Test
  void aCopyIsHeldBackByTheFileAndByCommandsAndTheStatusSaysWhy() throws Exception {
    try (Shop shop = Shop.open(folder, "throttled", 2, 3)) {
      shop.writeFile(
          "budget: { pause: 5s }",
          "throttle: { rate: 50MB/s, windows: [ { from: \"00:00\", to: \"23:59:59.999\", zone: UTC,"
              + " rate: 10kB/s } ], adaptive: { latency: 10s },"
              + " query: { sql: \"SELECT count(*) FROM pg_class WHERE relname = 'stop'\" } }",
          "copy: { workers: 2, first: [ public.orders ] }");
      requireUsage(shop);
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.COPYING);
      awaitStatus(shop, "at 10 kB/s: window 00:00-23:59:59.999 UTC");

      throttle(shop, "--rate", "5kB/s", "--for", "1h");
      awaitStatus(shop, "at 5 kB/s: 'reshard throttle' by ");
      throttle(shop, "--rate", "0MB/s");
      awaitStatus(shop, "paused: 'reshard throttle' by ");
      throttle(shop, "--reset");
      shop.shards.get("a").execute("CREATE TABLE stop ()");
      awaitStatus(shop, "paused: throttle.query says 1, above 0");
      shop.shards.get("a").execute("DROP TABLE stop");
      awaitStatus(shop, "at 10 kB/s: window 00:00-23:59:59.999 UTC");
      assertEquals("COPYING", shop.state());

      throttle(shop, "--off", "--for", "1h");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      Answer late = throttle(shop, "--rate", "1MB/s");
      assertTrue(late.text().contains("nothing is copied or purged any more"), late::toString);
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void aVerificationIsHeldBackByCommandsAndTheStatusSaysWhyAndNobodyWaitsForAPausedOne()
      throws Exception {
    try (Shop shop = Shop.open(folder, "slow-verify", 2, 3)) {
      shop.writeFile(
          "budget: { pause: 5s }",
          "throttle: { query: { sql: \"SELECT count(*) FROM ops.stop\" } }");
      for (String source : List.of("a", "b")) { // the destination, purged by the cancel, lacks it
        shop.shards.get(source).createSchema("ops");
        shop.shards.get(source).execute("CREATE TABLE ops.stop ()");
      }
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      throttle(shop, "--rate", "0MB/s");
      TimeUnit.SECONDS.sleep(NOTICED_S);
      CompletableFuture<Answer> verify = shop.ask("verify");
      awaitStatus(shop, "verify a  paused: 'reshard throttle' by ");
      assertFalse(verify.isDone());

      Answer cutover = shop.run("cutover");
      assertEquals(ExitCode.REFUSED.code(), cutover.exitCode(), cutover::toString);
      assertTrue(cutover.text().contains("full verification: not done"), cutover::toString);
      requireGivenUp(verify);

      verify = shop.ask("verify");
      awaitStatus(shop, "verify a  paused: 'reshard throttle' by ");
      throttle(shop, "--rate", "10 rows/s");
      awaitStatus(shop, "verify a  at 10 rows/s: 'reshard throttle' by ");
      assertEquals(ExitCode.DONE.code(), shop.run("pause").exitCode());
      requireGivenUp(verify);
      assertEquals(ExitCode.DONE.code(), shop.run("resume").exitCode());
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);

      verify = shop.ask("verify");
      awaitStatus(shop, "verify a  at 10 rows/s: 'reshard throttle' by ");
      shop.shards.get("a").execute("INSERT INTO ops.stop DEFAULT VALUES");
      awaitStatus(shop, "verify a  paused: throttle.query says 1, above 0");
      shop.shards.get("a").execute("DELETE FROM ops.stop");
      throttle(shop, "--rate", "5000 rows/s");
      Answer verified = verify.get(60, TimeUnit.SECONDS);
      assertEquals(ExitCode.DONE.code(), verified.exitCode(), verified::toString);
      shop.succeed("cancel");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  @Test
  @Tag("matrix")
  void aHandOverIsNeverHeldBackAndThePurgeIsByCommandsAndTheStatusSaysWhy() throws Exception {
    try (Shop shop = Shop.open(folder, "slow-purge", 2, 3)) {
      CompletableFuture<Answer> complete;
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.succeed("verify");
        throttle(shop, "--rate", "0MB/s");
        shop.succeedOnceGatesOpen("cutover");
        shop.succeedOnceGatesOpen("rollback");
        shop.succeedOnceGatesOpen("cutover");
        complete = shop.ask("complete");
        awaitStatus(shop, "purge a  paused: 'reshard throttle' by ");
        worker.signal("TERM");
        worker.awaitEnd();
      }
      Answer ended = complete.get(30, TimeUnit.SECONDS);
      assertEquals(ExitCode.UNFINISHED.code(), ended.exitCode(), ended::toString);
      assertTrue(ended.text().contains("the next 'reshard run' goes on with it"), ended::toString);

      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        awaitStatus(shop, "purge a  paused: 'reshard throttle' by ");
        assertEquals("CLEANING_UP", shop.state());
        long start = System.nanoTime();
        throttle(shop, "--rate", "300 rows/s");
        awaitStatus(shop, "purge a  at 300 rows/s: 'reshard throttle' by ");
        shop.awaitState(MigrationState.CLEANED);
        double seconds = (System.nanoTime() - start) / 1e9;
        Matcher purged = PURGED.matcher(shop.run("status").text());
        assertTrue(purged.find());
        int rows = Integer.parseInt(purged.group(1)) + Integer.parseInt(purged.group(2));
        assertTrue(rows > 1000 && seconds > 0.8 * rows / 300, rows + " rows in s: " + seconds);
        assertEquals(ExitCode.DONE.code(), worker.awaitEnd());
      }
      shop.requireClean();
    }
  }

  private static void requireGivenUp(CompletableFuture<Answer> verify) throws Exception {
    Answer answer = verify.get(30, TimeUnit.SECONDS);
    assertEquals(ExitCode.GAVE_UP.code(), answer.exitCode(), answer::toString);
    assertTrue(answer.text().contains("given up, as something else was asked"), answer::toString);
  }

  private static void requireUsage(Shop shop) {
    String file = shop.file.toString();
    Answer none = Shop.run("throttle", "-f", file);
    assertEquals(ExitCode.REFUSED.code(), none.exitCode(), none::toString);
    for (String[] words :
        new String[][] {
          {"throttle", "--rate", "50MB", "-f", file},
          {"throttle", "--rate", "50MB/s", "--off", "-f", file},
          {"throttle", "--for", "1h", "-f", file},
          {"throttle", "--reset", "--for", "1h", "-f", file}
        }) {
      Answer wrong = Shop.run(words);
      assertEquals(ExitCode.USAGE.code(), wrong.exitCode(), wrong::toString);
    }
  }

  private static Answer throttle(Shop shop, String... options) {
    String[] words = new String[options.length + 3];
    words[0] = "throttle";
    System.arraycopy(options, 0, words, 1, options.length);
    words[options.length + 1] = "-f";
    words[options.length + 2] = shop.file.toString();
    Answer answer = Shop.run(words);
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
    return answer;
  }

  private static void awaitStatus(Shop shop, String words) throws InterruptedException {
    while (!shop.run("status").text().contains(words)) {
      TimeUnit.MILLISECONDS.sleep(200); // between two looks
    }
  }
}
