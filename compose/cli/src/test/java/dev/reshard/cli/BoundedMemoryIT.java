package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SharedSandbox;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a worker has to take in is larger than its heap. The full sizes are in {@link
 * BoundedMemorySoakIT}.
 */
@Timeout(180)
class BoundedMemoryIT {
  /** A worker that does nothing needs about 20. */
  private static final int HEAP_MB = 128;

  /** A little less than an eighth of the heap. */
  private static final int LARGE_ROW = 15 << 20;

  @TempDir private Path folder;
  private Documents documents;

  @BeforeEach
  void tables() throws Exception {
    documents =
        Documents.create(folder, SharedSandbox.shards(2), SharedSandbox.kafka().bootstrapServers());
  }

  @AfterEach
  void drop() throws Exception {
    documents.close();
  }

  @Test
  @Tag("matrix")
  void aLargeTransactionABacklogAndLargeRowsAreAppliedByALittleHeap() throws Exception {
    documents.source.execute(Documents.text(1, LARGE_ROW));
    documents.copyWithHeap(HEAP_MB);
    documents.source.execute(
        Documents.transaction(10, 200_000),
        Documents.backlog(1_000_000, 700, 200_000),
        Documents.text(2, LARGE_ROW),
        Documents.bytes(3, LARGE_ROW / 2),
        "UPDATE documents SET body = repeat('z', %d) WHERE id = 1".formatted(LARGE_ROW),
        "UPDATE documents SET id = 4 WHERE id = 2",
        "DELETE FROM documents WHERE id = 1");
    try (WorkerProcess worker = WorkerProcess.startWithHeap(HEAP_MB, documents.file)) {
      documents.awaitApplied(worker);
      documents.requireSame();
    }
  }

  @Test
  @Tag("matrix")
  void aRowOverTheLimitPausesByNameAndGoesOnOnceTheLimitIsRaised() throws Exception {
    documents.writeFile("budget: { max_row: 2MB }");
    try (WorkerProcess worker = WorkerProcess.start(documents.file)) {
      documents.awaitState(MigrationState.READY_FOR_CUTOVER, worker);
      documents.source.execute(Documents.text(77, 3 << 20));
      documents.awaitState(MigrationState.PAUSED, worker);
      String status = Shop.run("status", "-f", documents.file.toString()).text();
      assertTrue(
          status.contains("the row of table public.documents with tenant_id = 2, id = 77"), status);
      assertTrue(status.contains("takes 3072 KB as text"), status);
      assertTrue(status.contains("takes 2048 KB at most"), status);
      assertTrue(status.contains("Raise budget.max_row in the file"), status);
    }
    documents.writeFile("budget: { max_row: 4MB }");
    try (WorkerProcess worker = WorkerProcess.start(documents.file)) {
      worker.awaitSaid("working on");
      assertEquals(
          ExitCode.DONE.code(), Shop.run("resume", "-f", documents.file.toString()).exitCode());
      documents.awaitApplied(worker);
      documents.requireSame();
    }
  }

  @Test
  void aRowOverTheLimitPausesTheCopyByName() throws Exception {
    documents.source.execute(Documents.text(78, 3 << 20));
    documents.writeFile("budget: { max_row: 2MB }");
    try (WorkerProcess worker = WorkerProcess.start(documents.file)) {
      documents.awaitState(MigrationState.PAUSED, worker);
      String status = Shop.run("status", "-f", documents.file.toString()).text();
      assertTrue(
          status.contains("A row of public.documents pages 0 to the end takes 3 MB"), status);
      assertTrue(status.contains("ORDER BY pg_column_size(\"documents\".*) DESC LIMIT 1"), status);
    }
  }
}
