package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SharedSandbox;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a worker has to take in is larger than its heap. The full sizes are in {@link
 * BoundedMemorySoakIT}; these are as many times smaller as the heap is.
 */
@Timeout(120)
class BoundedMemoryIT {
  static final int HEAP_MB = Integer.getInteger("heap", 128);

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
  void oneTransactionOfManyRowsIsAppliedWhole() throws Exception {
    apply("INSERT INTO documents SELECT 2, i, repeat(md5(i::text), 4), null FROM generate_series(1, 400000) i");
  }

  @Test
  void aBacklogOfManyTransactionsIsApplied() throws Exception {
    apply(
        """
        DO $$ BEGIN
          FOR i IN 1 .. 2000 LOOP
            INSERT INTO documents VALUES (2, i, repeat(md5(i::text), 6000), null);
            COMMIT;
          END LOOP;
        END $$""");
  }

  @Test
  void aRowOfAnEighthOfTheHeapIsCopiedAndItsChangesApplied() throws Exception {
    int mb = HEAP_MB / 8 - 1;
    documents.source.execute(
        "INSERT INTO documents VALUES (2, 1, repeat('x', %d), null)".formatted(mb << 20));
    apply(
        "INSERT INTO documents VALUES (2, 2, repeat('y', %d), null)".formatted(mb << 20),
        "INSERT INTO documents VALUES (2, 3, null, decode(repeat('00ff', %d), 'hex'))".formatted(mb << 18),
        "UPDATE documents SET body = repeat('z', %d) WHERE id = 1".formatted(mb << 20),
        "UPDATE documents SET id = 4 WHERE id = 2",
        "DELETE FROM documents WHERE id = 1");
  }

  private void apply(String... statements) throws Exception {
    documents.copyWithHeap(HEAP_MB);
    documents.source.execute(statements);
    try (WorkerProcess worker = WorkerProcess.startWithHeap(HEAP_MB, documents.file)) {
      documents.awaitApplied(worker);
      documents.requireSame();
    }
  }
}
