package dev.reshard.postgres;

import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.postgresql.copy.CopyIn;

/**
 * Sends what a {@link CopyWriter} has gathered, on a thread of its own, while more is gathered: a
 * source is read while its destinations write, and a slow one holds the others back only when its
 * batches are used up. One thread hands over and ends it; nobody else may use the connection
 * meanwhile, save to abort it. An interrupt ends no wait: a batch that is half sent cannot be ended
 * but by its connection.
 */
final class CopySender {
  @SuppressWarnings("ArrayRecordComponent") // handed over, never shared
  private record Batch(byte[] bytes, int length) {}

  private final CopyIn copy;
  private final int most;
  private final int batchBytes;
  private final Lock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Batch> waiting = new ArrayDeque<>();
  private final Deque<byte[]> free = new ArrayDeque<>();
  private boolean started;
  private boolean isSending;
  private boolean ended;
  private Throwable failure;

  /**
   * Its thread begins with the first batch: most tables have less.
   *
   * @param most batches that may wait; at least 1
   */
  CopySender(CopyIn copy, int most, int batchBytes) {
    this.copy = copy;
    this.most = most;
    this.batchBytes = batchBytes;
  }

  /** Room for a batch, which is its caller's until it is handed over. */
  byte[] room() {
    lock.lock();
    try {
      byte[] used = free.poll();
      return used == null ? new byte[batchBytes] : used;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Hands over a batch, once fewer than the most are waiting.
   *
   * @throws SQLException if an earlier one was refused
   */
  void send(byte[] bytes, int length) throws SQLException {
    lock.lock();
    try {
      await(() -> waiting.size() < most || failure != null);
      check();
      start();
      waiting.add(new Batch(bytes, length));
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all is sent. Until the next batch the connection is its caller's.
   *
   * @throws SQLException if a batch was refused
   */
  void drain() throws SQLException {
    lock.lock();
    try {
      await(() -> !isSending && (waiting.isEmpty() || failure != null));
      check();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread, after the batch that it is sending; what waits is dropped. Idempotent. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
      await(() -> !isSending);
    } finally {
      lock.unlock();
    }
  }

  private void start() {
    if (!started) {
      Thread thread = new Thread(this::run, Thread.currentThread().getName() + " send");
      thread.setDaemon(true);
      thread.start();
      started = true;
    }
  }

  private void run() {
    for (Batch batch = next(); batch != null; batch = next()) {
      Throwable refused = null;
      try {
        copy.writeToCopy(batch.bytes, 0, batch.length);
      } catch (SQLException | RuntimeException | Error e) {
        refused = e; // whoever waits must hear of it
      }
      sent(batch, refused);
    }
  }

  /** Null at the end. */
  private Batch next() {
    lock.lock();
    try {
      await(() -> !waiting.isEmpty() || ended || failure != null);
      isSending = !ended && failure == null;
      changed.signalAll(); // there is room for one more
      return isSending ? waiting.remove() : null;
    } finally {
      lock.unlock();
    }
  }

  private void sent(Batch batch, Throwable refused) {
    lock.lock();
    try {
      isSending = false;
      failure = refused;
      free.add(batch.bytes);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      changed.awaitUninterruptibly();
    }
  }

  private void check() throws SQLException {
    if (failure instanceof SQLException refused) {
      throw refused;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure != null) {
      throw new IllegalStateException("a batch was not sent", failure);
    }
  }
}
