package dev.reshard.apply;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The fence tokens that are applied and flushed, and who waits for one. Thread-safe. */
final class TokenBoard {
  /** Only the latest attempts' tokens are ever waited for. */
  private static final int KEPT = 100;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Set<String> seen = new LinkedHashSet<>();
  private LaneException stopped;

  void seen(Collection<String> tokens) {
    if (tokens.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      seen.addAll(tokens);
      while (seen.size() > KEPT) {
        seen.remove(seen.iterator().next());
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The shard came back without its last commits: nothing that was seen there counts any more. */
  void forget() {
    lock.lock();
    try {
      seen.clear();
    } finally {
      lock.unlock();
    }
  }

  void stop(LaneException reason) {
    lock.lock();
    try {
      stopped = reason;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean await(String token, Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      long nanos = timeout.toNanos();
      while (!seen.contains(token)) {
        if (stopped != null) {
          throw stopped.again();
        }
        if (nanos <= 0) {
          return false;
        }
        nanos = changed.awaitNanos(nanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
