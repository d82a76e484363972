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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cutover that gave up after its first unit. */
@Timeout(240)
@Tag("matrix")
class PartlyMovedIT {
  private static final long SOME = 30;
  private static final String RESERVING =
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%stage_unit%'";
  private static final List<String> PARTLY = List.of("AT_DESTINATION", "AT_SOURCE");

  @TempDir private Path folder;

  @Test
  void verifyLeavesOutWhatHasMovedAndTheNextCutoverMovesTheRest() throws Exception {
    try (Shop shop = Shop.open(folder, "partly", 2, 3)) {
      shop.writeFile("budget: { pause: 2s }", "sequences: keep");
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      long all = rows(shop.succeed("verify"));
      aReceiverWithoutTheLastWritesIsNotOpened(shop);
      aTableThatIsWrittenAnewAfterTheGatesLiftsTheFence(shop);
      shop.succeed("verify"); // the last one knows another file
      assertEquals(
          List.of("0"), shop.shards.get("c").query("SELECT count(*) FROM reshard.private_range"));
      moveOnlyTheFirst(shop);
      assertEquals("READY_FOR_CUTOVER", shop.state());
      shop.awaitTransactions(SOME);
      long rest = rows(shop.succeed("verify"));
      assertTrue(0 < rest && rest < all * 3 / 4, rest + " of " + all);
      shop.succeedOnceGatesOpen("cutover");
      assertEquals("COMPLETED", shop.state());
      shop.awaitTransactions(SOME);
      nothingIsDeletedOnTheControlDatabasesWordAlone(shop);
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      shop.requireClean();
    }
  }

  /** As if c were a standby that had not got them when it took over. */
  private static void aReceiverWithoutTheLastWritesIsNotOpened(Shop shop) throws Exception {
    SandboxShard receiver = shop.shards.get("c");
    receiver.executeAsSuperuser(
        """
        CREATE FUNCTION public.lose() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN NEW.last_token := OLD.last_token; RETURN NEW; END $$;
        CREATE TRIGGER lose BEFORE UPDATE ON reshard.lane
          FOR EACH ROW EXECUTE FUNCTION public.lose();
        ALTER TABLE reshard.lane ENABLE ALWAYS TRIGGER lose""");
    Answer answer = shop.ask("cutover").get();
    while (answer.exitCode() == ExitCode.REFUSED.code()) {
      answer = shop.ask("cutover").get(); // a gate is not open yet
    }
    assertEquals(ExitCode.GAVE_UP.code(), answer.exitCode(), answer::toString);
    assertTrue(answer.text().contains("came back without the last writes"), answer::toString);
    receiver.executeAsSuperuser("DROP TRIGGER lose ON reshard.lane; DROP FUNCTION public.lose()");
  }

  /** Between the gates and the fence, as long as the first unit cannot be reserved. */
  private static void aTableThatIsWrittenAnewAfterTheGatesLiftsTheFence(Shop shop)
      throws Exception {
    SandboxShard source = shop.shards.get("a");
    Answer answer;
    do {
      try (Connection holder = source.connect(SandboxRole.SUPERUSER)) {
        holder.setAutoCommit(false);
        execute(holder, "SELECT FROM reshard.stage_unit WHERE source = 'a' FOR UPDATE");
        CompletableFuture<Answer> asked = shop.ask("cutover");
        while (!asked.isDone() && source.query(RESERVING).isEmpty()) {
          TimeUnit.MILLISECONDS.sleep(10); // between two looks
        }
        source.executeAsSuperuser("VACUUM FULL public.events");
        holder.rollback();
        answer = asked.get();
      }
    } while (answer.exitCode() == ExitCode.REFUSED.code()); // a gate is not open yet
    assertEquals(ExitCode.GAVE_UP.code(), answer.exitCode(), answer::toString);
    assertTrue(answer.text().contains("after the gates were looked at"), answer::toString);
    assertEquals(List.of("AT_SOURCE", "AT_SOURCE"), places(shop));
  }

  private static void nothingIsDeletedOnTheControlDatabasesWordAlone(Shop shop) throws Exception {
    SandboxShard control = shop.shards.get("a");
    String place = "UPDATE reshard.stage_unit SET place = '%s' WHERE source = 'b'";
    control.executeAsSuperuser(place.formatted("AT_SOURCE"));
    Answer answer = shop.ask("complete").get();
    assertEquals(ExitCode.REFUSED.code(), answer.exitCode(), answer::toString);
    assertTrue(answer.text().contains("shard c takes writes of"), answer::toString);
    control.executeAsSuperuser(place.formatted("AT_DESTINATION"));
  }

  /**
   * On b an application's transaction has written and does not end within the budget. It begins
   * when the gates, which would see it, have been passed: until then the unit of b cannot be
   * reserved.
   */
  private static void moveOnlyTheFirst(Shop shop) throws Exception {
    while (!places(shop).equals(PARTLY)) {
      try (Connection writer = shop.shards.get("b").connect(SandboxRole.APP);
          Connection holder = shop.shards.get("a").connect(SandboxRole.SUPERUSER)) {
        writer.setAutoCommit(false);
        holder.setAutoCommit(false);
        execute(holder, "SELECT FROM reshard.stage_unit WHERE source = 'b' FOR UPDATE");
        CompletableFuture<Answer> asked = shop.ask("cutover");
        boolean writing = false;
        while (!asked.isDone()) {
          if (!writing && shop.state().equals("CUTTING_OVER")) {
            execute(writer, "DELETE FROM public.events WHERE false");
            execute(writer, "SELECT pg_current_xact_id()");
            holder.rollback();
            writing = true;
          }
          TimeUnit.MILLISECONDS.sleep(10); // between two looks
        }
        Answer answer = asked.get();
        assertTrue(
            List.of(ExitCode.GAVE_UP.code(), ExitCode.REFUSED.code()).contains(answer.exitCode()),
            answer::toString);
        writer.rollback();
      }
    }
  }

  /** {@code 3 836 rows, every column, ..}. */
  private static long rows(Answer verified) {
    String line = verified.text().strip();
    return Long.parseLong(line.substring(0, line.indexOf(" rows")).replace(" ", ""));
  }

  /** Of the units a > c and b > c. */
  private static List<String> places(Shop shop) throws SQLException {
    return shop.shards.get("a").query("SELECT place FROM reshard.stage_unit ORDER BY source");
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
