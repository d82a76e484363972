package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a verification found counts, also if it could not look at the rest. */
@Timeout(180)
@Tag("matrix")
class VerifyFailsIT {
  /** Past the guards, which a superuser can do; they are there again when it commits. */
  private static final String LOSE_ROWS =
      """
      DO $$
      DECLARE guard text;
      BEGIN
        FOR guard IN SELECT tgname FROM pg_trigger
                      WHERE tgrelid = 'public.events'::regclass AND tgenabled = 'A' LOOP
          EXECUTE format('ALTER TABLE public.events DISABLE TRIGGER %I', guard);
        END LOOP;
        DELETE FROM public.events;
        FOR guard IN SELECT tgname FROM pg_trigger
                      WHERE tgrelid = 'public.events'::regclass AND tgenabled = 'D' LOOP
          EXECUTE format('ALTER TABLE public.events ENABLE ALWAYS TRIGGER %I', guard);
        END LOOP;
      END $$""";

  @TempDir private Path folder;

  @Test
  void differencesThatItFoundBeforeVoidTheOneThatFoundNone() throws Exception {
    try (Shop shop = Shop.open(folder, "verify-fails", 2, 3)) {
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      shop.shards.get("c").executeAsSuperuser(LOSE_ROWS);
      try (Connection writer = shop.shards.get("b").connect(SandboxRole.APP);
          Statement statement = writer.createStatement()) {
        writer.setAutoCommit(false);
        statement.execute("SELECT pg_current_xact_id()"); // b is not brought to one position then
        Answer failed = shop.run("verify");
        assertNotEquals(ExitCode.DONE.code(), failed.exitCode(), failed::toString);
        assertTrue(
            failed.text().contains("rows differ in what was compared before it ended"),
            failed::toString);
        writer.rollback();
      }
      Answer refused = shop.run("cutover");
      assertNotEquals(ExitCode.DONE.code(), refused.exitCode(), refused::toString);
      assertTrue(
          refused.text().matches("(?s).*full verification: \\d+ rows differ.*"), refused::toString);
      shop.succeed("cancel");
      worker.join();
    }
  }
}
