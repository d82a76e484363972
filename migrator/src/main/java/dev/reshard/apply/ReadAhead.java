package dev.reshard.apply;

import dev.reshard.change.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Reads a source on a thread of its own, so that the next transactions are read while those before
 * them are written. Holds about a batch; used by the lane's thread.
 */
final class ReadAhead implements AutoCloseable {
  private final ChangeSource source;
  private final LaneLimits limits;
  private final Lock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private List<Transaction> read = new ArrayList<>();
  private long rows;
  private long bytes;
  private Throwable failure;
  private boolean closed;
  private boolean ended;

  /** Begins to read. */
  ReadAhead(ChangeSource source, LaneLimits limits) {
    this.source = source;
    this.limits = limits;
    Thread thread = new Thread(this::run, Thread.currentThread().getName() + " read");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * All that was read, at once if there is any; else waits at most {@code timeout}.
   *
   * @throws RuntimeException what reading ended with, once everything before it was taken
   */
  List<Transaction> poll(Duration timeout) {
    lock.lock();
    try {
      long nanos = timeout.toNanos();
      while (read.isEmpty() && failure == null && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      if (read.isEmpty() && failure != null) {
        throwFailure();
      }
      List<Transaction> all = read;
      read = new ArrayList<>();
      rows = 0;
      bytes = 0;
      changed.signalAll();
      return all;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread, after the wait for changes that it is in, and closes the source. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      while (!ended) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
    source.close();
  }

  private void run() {
    Throwable error = null;
    try {
      while (awaitRoom()) {
        add(source.poll(limits.pollTimeout()));
      }
    } catch (RuntimeException | Error e) {
      error = e;
    } finally {
      end(error);
    }
  }

  /** False: it is to end. */
  private boolean awaitRoom() {
    lock.lock();
    try {
      while (!closed && (rows >= limits.batchRows() || bytes >= limits.batchBytes())) {
        changed.awaitUninterruptibly();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void add(List<Transaction> more) {
    if (more.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      for (Transaction transaction : more) {
        read.add(transaction);
        rows += transaction.changes().size() + 1;
        bytes += transaction.bytes();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void end(Throwable error) {
    lock.lock();
    try {
      ended = true;
      failure = error;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void throwFailure() {
    if (failure instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) failure;
  }
}
