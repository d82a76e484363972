package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.postgres.Lsn;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Decides when a lane's thread may start a batch, and up to where. Thread-safe.
 *
 * <pre>
 * open --hold--> held --runTo--> running to a limit --reached, timeout--> held --resume--> open
 * </pre>
 */
final class LaneGate {
  /** A limit behind every position. */
  private static final Lsn NO_LIMIT = new Lsn(-1L);

  private enum Mode {
    OPEN,
    HELD,
    RUNNING_TO
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Mode mode = Mode.OPEN;
  private Lsn limit = NO_LIMIT;
  private boolean inFlight;
  private boolean closing;
  private LaneException stopped;

  // The lane's thread.

  /** Waits while the gate is held; false: the lane is to end. */
  boolean awaitWork() throws InterruptedException {
    lock.lock();
    try {
      while (mode == Mode.HELD && !closing) {
        changed.await();
      }
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  /** Begins a batch; it may hold what ends at or before the limit. Empty: not now. */
  Optional<Lsn> begin() {
    lock.lock();
    try {
      if (mode == Mode.HELD || closing) {
        return Optional.empty();
      }
      inFlight = true;
      return Optional.of(limit);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends a batch.
   *
   * @param proven all that ends at or before this is applied
   */
  void end(Lsn proven) {
    lock.lock();
    try {
      inFlight = false;
      if (mode == Mode.RUNNING_TO && proven.compareTo(limit) >= 0) {
        mode = Mode.HELD;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits before a retry; returns early when the lane is to end. */
  void pause(Duration duration) throws InterruptedException {
    lock.lock();
    try {
      long nanos = duration.toNanos();
      while (nanos > 0 && !closing) {
        nanos = changed.awaitNanos(nanos);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The lane has ended; who waits for it is told why. */
  void stop(LaneException reason) {
    lock.lock();
    try {
      stopped = reason;
      closing = true;
      inFlight = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // Everybody else.

  boolean isHeld() {
    lock.lock();
    try {
      return mode != Mode.OPEN;
    } finally {
      lock.unlock();
    }
  }

  void hold() throws InterruptedException {
    lock.lock();
    try {
      mode = Mode.HELD;
      while (inFlight && stopped == null) {
        changed.await();
      }
      checkAlive();
    } finally {
      lock.unlock();
    }
  }

  /** True when all up to {@code target} is applied; false when the time is over. Held after it. */
  boolean runTo(Lsn target, Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      checkAlive();
      if (mode != Mode.HELD) {
        throw new IllegalStateException("hold the lane before it is run to a position");
      }
      limit = target;
      mode = Mode.RUNNING_TO;
      changed.signalAll();
      long nanos = timeout.toNanos();
      while (mode == Mode.RUNNING_TO && stopped == null && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      boolean reached = mode == Mode.HELD;
      mode = Mode.HELD;
      while (inFlight && stopped == null) {
        changed.await();
      }
      checkAlive();
      return reached;
    } finally {
      limit = NO_LIMIT;
      lock.unlock();
    }
  }

  void resume() {
    lock.lock();
    try {
      mode = Mode.OPEN;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Lets the lane's thread end after its batch. */
  void close() {
    lock.lock();
    try {
      closing = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void checkAlive() {
    if (stopped != null) {
      throw stopped.again();
    }
    if (closing) {
      throw new LaneException(Problem.CLOSED, "the lane is being closed");
    }
  }
}
