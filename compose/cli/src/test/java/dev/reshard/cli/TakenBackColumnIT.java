package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxShard;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The file is edited while the migration is under way. */
@Timeout(120)
@Tag("matrix")
class TakenBackColumnIT {
  private static final String REFUSAL =
      "keyspace.tables.ignored_columns.public.notes: column extra is not named any more, but rows of migration %s were moved without it";

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("migration.yaml");
  }

  @Test
  void aColumnThatRowsWereMovedWithoutCannotBeTakenOutOfTheFileByAnyCommandThatActs()
      throws Exception {
    try (Shop shop = Shop.open(folder, "taken-back", 2, 3)) {
      makeNotes(shop, "note text, extra text DEFAULT 'x'");
      shop.ignoreColumns("public.notes: [extra]");
      try (WorkerProcess first = WorkerProcess.start(file)) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.ignoreColumns("");
        for (String command :
            List.of("verify", "cutover", "rollback", "complete", "resume", "plan", "check")) {
          assertRefused(command, "taken-back");
        }
        for (String command : List.of("status", "pause")) {
          shop.succeed(command);
        }
        assertRefused("resume", "taken-back");
        assertTrue(first.farewell().isEmpty());
      }
      assertEquals("PAUSED", shop.state());
      assertRefused("run", "taken-back");
      assertEquals(List.of("x"), shop.shards.get("c").query("SELECT DISTINCT extra FROM notes"));

      shop.ignoreColumns("public.notes: [extra, note]");
      try (WorkerProcess second = WorkerProcess.start(file)) {
        shop.succeedOnceAlive("resume");
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.succeed("verify");
        shop.ignoreColumns("public.notes: [note]");
        assertRefused("verify", "taken-back");
        shop.succeed("cancel");
        assertEquals(ExitCode.DONE.code(), second.awaitEnd());
      }
      shop.requireClean();
    }
  }

  @Test
  void aNameThatWasAMistakeIsCorrectedWhileNoRowWasMovedWithoutIt() throws Exception {
    try (Shop shop = Shop.open(folder, "mistaken", 2, 3)) {
      makeNotes(shop, "note text, extra text");
      SandboxShard a = shop.shards.get("a");
      try (WorkerProcess first = WorkerProcess.start(file)) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        a.execute("ALTER TABLE notes ADD COLUMN late text DEFAULT 'y'");
        shop.awaitState(MigrationState.PAUSED);
        a.execute("UPDATE notes SET extra = 'new'");
        assertTrue(first.farewell().isEmpty());
      }
      for (String wrong : List.of("extra", "nowhere")) {
        tryWithout(shop, wrong);
      }
      shop.ignoreColumns("public.notes: [late]");
      try (WorkerProcess last = WorkerProcess.start(file)) {
        shop.succeedOnceAlive("resume");
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.succeed("verify");
        assertEquals(
            List.of("new"), shop.shards.get("c").query("SELECT DISTINCT extra FROM notes"));
        shop.succeed("cancel");
        assertEquals(ExitCode.DONE.code(), last.awaitEnd());
      }
      shop.requireClean();
    }
  }

  /** A worker that starts paused moves nothing, and so leaves out nothing. */
  private void tryWithout(Shop shop, String column) throws Exception {
    shop.ignoreColumns("public.notes: [%s]".formatted(column));
    try (WorkerProcess worker = WorkerProcess.start(file)) {
      Shop.Answer answer = shop.run("resume");
      while (answer.exitCode() == ExitCode.NO_WORKER.code()) {
        answer = shop.run("resume");
      }
      assertTrue(answer.exitCode() != ExitCode.DONE.code(), answer::toString);
      assertEquals("PAUSED", shop.state());
    }
  }

  private static void makeNotes(Shop shop, String columns) throws Exception {
    shop.shards.execute("CREATE TABLE notes (tenant_id bigint PRIMARY KEY, %s)".formatted(columns));
    shop.shards.get("a").execute("INSERT INTO notes SELECT g, 'old' FROM generate_series(0, 15) g");
  }

  private void assertRefused(String command, String migration) throws IOException {
    List<String> named = List.of("cutover", "rollback", "complete");
    Shop.Answer answer =
        named.contains(command)
            ? Shop.runLoud(command, migration, "-f", file.toString())
            : Shop.runLoud(command, "-f", file.toString());
    assertEquals(ExitCode.USAGE.code(), answer.exitCode(), () -> command + " " + answer);
    assertTrue(answer.text().contains(REFUSAL.formatted(migration)), () -> command + " " + answer);
  }
}
