package dev.reshard.sandbox;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Starting and stopping servers at the same time, which is most of a sandbox's start. */
final class Parallel {
  private Parallel() {}

  /**
   * Runs all tasks, each on a thread of its own, and returns when the last one has ended.
   *
   * @throws SandboxException the first failure, with the others suppressed
   */
  static void runAll(List<Runnable> tasks) {
    if (tasks.isEmpty()) {
      return;
    }
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      List<Future<?>> running = new ArrayList<>();
      for (Runnable task : tasks) {
        running.add(threads.submit(task));
      }
      SandboxException failure = null;
      for (Future<?> future : running) {
        SandboxException next = await(future);
        if (failure == null) {
          failure = next;
        } else if (next != null) {
          failure.addSuppressed(next);
        }
      }
      if (failure != null) {
        throw failure;
      }
    } finally {
      threads.shutdown();
    }
  }

  /** Null if the task succeeded. An interrupt is kept for later: the servers must not be lost. */
  private static SandboxException await(Future<?> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          future.get();
          return null;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          return e.getCause() instanceof SandboxException known
              ? known
              : new SandboxException(String.valueOf(e.getCause()), e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
