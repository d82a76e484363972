package dev.reshard.migration;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that looks at something again and again: about once a second, and seldom enough that the
 * looks take a tenth of the time at most. A look that fails is made again. Thread-safe.
 */
final class RepeatedLook implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RepeatedLook.class);
  private static final long BETWEEN_MS = 1_000;
  private static final int SHARE = 9;
  private static final long STOP_LIMIT_MS = 2_000;

  /** One look. */
  interface Look {
    void take() throws SQLException, InterruptedException;
  }

  private final String name;
  private final Look look;
  private Thread thread;
  private boolean closed;

  /**
   * Starts nothing.
   *
   * @param name of the thread: what is looked at
   */
  RepeatedLook(String name, Look look) {
    this.name = name;
    this.look = look;
  }

  /** Looks for the first time at once; does nothing if it runs, or was closed. */
  synchronized void start() {
    if (thread == null && !closed) {
      thread = new Thread(this::run, name);
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void run() {
    try {
      while (true) {
        long start = System.nanoTime();
        try {
          look.take();
        } catch (SQLException | RuntimeException e) {
          log.debug("no look at {}", name, e);
        }
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        Thread.sleep(Math.max(BETWEEN_MS, SHARE * tookMs));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /** Ends it within seconds. */
  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed = true;
      running = thread;
    }
    if (running == null) {
      return;
    }
    running.interrupt();
    try {
      running.join(STOP_LIMIT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
