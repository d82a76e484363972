package dev.reshard.sandbox;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Stops servers when the process is told to end: they would outlive it. A broker runs inside the
 * process and is left alone, as an orderly stop of it takes longer than anybody waits at a
 * terminal; the next sandbox deletes its files. Thread-safe.
 */
final class StopAtExit {
  /** Those that are just starting are waited for: nobody else knows of them. */
  private static final long START_LIMIT_S = 10;

  private final List<SandboxPostgres> servers;
  private final CountDownLatch started = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "sandbox-stop");

  /**
   * Begins to look after them.
   *
   * @param servers those that have started; a list that may grow until {@link #started}
   */
  StopAtExit(List<SandboxPostgres> servers) {
    this.servers = servers;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** No more servers come. */
  void started() {
    started.countDown();
  }

  /** Stops them side by side; each within 20 s, then it is killed. Idempotent. */
  void stop() {
    try {
      if (!started.await(START_LIMIT_S, TimeUnit.SECONDS)) {
        return; // the next sandbox stops them
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Parallel.runAll(List.copyOf(servers).stream().map(server -> (Runnable) server::close).toList());
  }

  /** They are closed. */
  void forget() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the process is ending, and the hook is running
    }
  }
}
