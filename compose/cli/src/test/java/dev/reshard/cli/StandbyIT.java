package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A worker that is killed, another that stood by, and somebody who watches. */
@Timeout(180)
@Tag("matrix")
class StandbyIT {
  /** It takes 3.5 s; a busy machine takes its time. */
  private static final Duration MOST = Duration.ofSeconds(15);

  @TempDir private Path folder;

  @Test
  void aStandbyTakesOverWithinSecondsAndWhoWatchesSeesIt() throws Exception {
    try (Shop shop = Shop.open(folder, "standby", 2, 3)) {
      StringWriter screens = new StringWriter();
      try (WorkerProcess first = WorkerProcess.start(shop.file)) {
        first.awaitSaid("working on");
        Thread watch = watch(shop, screens);
        try (WorkerProcess second = WorkerProcess.start(shop.file, "--standby")) {
          awaitLeaseSessions(shop, 3); // two workers and who watches
          awaitScreen(watch, screens, "pid " + first.pid());
          cutOff(second, shop);
          long killed = System.nanoTime();
          first.kill();
          second.awaitSaid("working on");
          Duration took = Duration.ofNanos(System.nanoTime() - killed);
          System.out.printf("a standby worked %d ms after the kill%n", took.toMillis());
          assertTrue(took.compareTo(MOST) < 0, took::toString);
          awaitScreen(watch, screens, "pid " + second.pid());
          shop.succeedOnceAlive("cancel");
          assertEquals(ExitCode.DONE.code(), second.awaitEnd());
          awaitScreen(watch, screens, "standby   CLEANED");
        } finally {
          watch.interrupt();
          watch.join(10_000);
        }
        assertFalse(watch.isAlive(), "it did not end");
      }
      shop.requireClean();
    }
  }

  /** Ends every look at the lease: who stands by goes on standing by. */
  private static void cutOff(WorkerProcess standby, Shop shop) throws Exception {
    shop.shards
        .get("a")
        .executeAsSuperuser(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'reshard standby lease'");
    awaitLeaseSessions(shop, 3);
    assertTrue(standby.isAlive(), "it ended by itself");
  }

  private static Thread watch(Shop shop, StringWriter screens) {
    Thread watch =
        new Thread(
            () ->
                Main.run(
                    new PrintWriter(screens, true),
                    "status",
                    "--watch",
                    "-f",
                    shop.file.toString()));
    watch.start();
    return watch;
  }

  private static void awaitScreen(Thread watch, StringWriter screens, String words)
      throws InterruptedException {
    while (!screens.toString().contains(words)) {
      assertTrue(watch.isAlive(), "it ended by itself");
      TimeUnit.MILLISECONDS.sleep(50); // it draws every second
    }
  }

  /** Each looks at the lease: the second worker stands by, and is not just starting. */
  private static void awaitLeaseSessions(Shop shop, int wanted) throws Exception {
    while (leaseSessions(shop) < wanted) {
      TimeUnit.MILLISECONDS.sleep(50); // between two looks
    }
  }

  private static int leaseSessions(Shop shop) throws SQLException {
    return Integer.parseInt(
        shop.shards
            .get("a")
            .query(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reshard standby lease'")
            .get(0));
  }
}
