package dev.reshard.bench;

import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * When the ledgers at all destinations said that all rows are there. The clock is this machine's,
 * as that of servers on loopback. Thread-safe.
 */
final class RowsThere implements AutoCloseable {
  private static final long LOOK_MS = 10;

  /** Before the first migration there is no ledger. */
  private static final String INSTALLED =
      "SELECT 1 WHERE to_regclass('reshard.copied_table') IS NOT NULL";

  private static final String COMPLETE =
      "SELECT 1 FROM reshard.copied_table HAVING count(*) > 0 AND bool_and(complete)";

  private final CompletableFuture<Instant> since = new CompletableFuture<>();
  private final List<Looker> lookers;
  private final Thread thread;

  private RowsThere(List<Looker> lookers) {
    this.lookers = lookers;
    this.thread = new Thread(this::look, "rows-there");
  }

  /** Begins to look. */
  static RowsThere watch(List<SandboxShard> shards) throws SQLException {
    RowsThere watch = new RowsThere(Looker.all(shards));
    watch.thread.setDaemon(true);
    watch.thread.start();
    return watch;
  }

  /** Waits until it is so. */
  Instant since() {
    return since.join();
  }

  private void look() {
    try {
      for (Looker looker : lookers) {
        looker.await(INSTALLED, LOOK_MS);
      }
      for (Looker looker : lookers) {
        looker.await(COMPLETE, LOOK_MS);
      }
      since.complete(Instant.now());
    } catch (SQLException | InterruptedException e) {
      since.completeExceptionally(e);
    }
  }

  @Override
  public void close() throws SQLException {
    thread.interrupt();
    for (Looker looker : lookers) {
      looker.close();
    }
  }
}
