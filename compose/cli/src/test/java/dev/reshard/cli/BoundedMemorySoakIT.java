package dev.reshard.cli;

import dev.reshard.sandbox.Sandbox;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a worker of 512 MB promises to survive, in full size. */
@Tag("soak")
@Timeout(1_800)
class BoundedMemorySoakIT {
  private static final int HEAP_MB = 512;
  private static final int LARGE_ROW = 60 << 20;

  @TempDir private Path folder;
  private Sandbox sandbox;
  private Documents documents;

  @BeforeEach
  void tables() throws Exception {
    sandbox = Sandbox.start(Sandbox.Options.shards(2));
    documents = Documents.create(folder, sandbox.shards(), sandbox.kafka().bootstrapServers());
  }

  @AfterEach
  void drop() {
    sandbox.close();
  }

  @Test
  void rowsOf60MbAreCopiedAndApplied() throws Exception {
    documents.source.execute(Documents.text(1, LARGE_ROW), Documents.bytes(5, LARGE_ROW));
    documents.copyWithHeap(HEAP_MB);
    apply(
        Documents.text(2, LARGE_ROW),
        Documents.bytes(3, LARGE_ROW / 2),
        "UPDATE documents SET body = repeat('z', %d) WHERE id = 1".formatted(LARGE_ROW),
        "UPDATE documents SET id = 4 WHERE id = 2",
        "DELETE FROM documents WHERE id = 1");
  }

  @Test
  void oneTransactionOf2MillionRowsIsApplied() throws Exception {
    documents.copyWithHeap(HEAP_MB);
    apply(Documents.transaction(10, 2_000_000));
  }

  @Test
  void aBacklogOf4GbIsApplied() throws Exception {
    documents.copyWithHeap(HEAP_MB);
    apply(Documents.backlog(10, 20_000, 200_000));
  }

  private void apply(String... statements) throws Exception {
    documents.source.execute(statements);
    try (WorkerProcess worker = WorkerProcess.startWithHeap(HEAP_MB, documents.file)) {
      documents.awaitApplied(worker);
      documents.requireSame();
    }
  }
}
