package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.WorkerLease;
import dev.reshard.migration.Worker;
import dev.reshard.sandbox.SandboxKafka;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A worker and the lease it works under. {@link #run} by one thread, {@link #stop} by any. */
public final class RunningWorker implements AutoCloseable {
  private static final long STOP_LIMIT_S = 20;

  private final Worker worker;
  private final WorkerLease lease;
  private final Optional<SandboxKafka> broker;
  private final CountDownLatch ended = new CountDownLatch(1);

  /**
   * Has not begun yet.
   *
   * @param broker the one that lives in this worker, if it does
   */
  RunningWorker(Worker worker, WorkerLease lease, Optional<SandboxKafka> broker) {
    this.worker = worker;
    this.lease = lease;
    this.broker = broker;
  }

  /** As {@link Worker#run}. */
  public MigrationState run(MigrationState until) throws Exception {
    try {
      return worker.run(until);
    } finally {
      ended.countDown();
    }
  }

  /** Ends {@link #run} and waits for it: a cutover under way is first finished or lifted. */
  public void stop() {
    worker.stop();
    try {
      if (!ended.await(STOP_LIMIT_S, TimeUnit.SECONDS)) {
        System.err.println("the worker did not end in time; the next 'reshard run' recovers");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws SQLException {
    try {
      lease.close();
    } finally {
      broker.ifPresent(SandboxKafka::close);
    }
  }
}
