package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.ChangeException;
import dev.reshard.change.Transaction;
import dev.reshard.postgres.Lsn;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Transactions that were read and not yet applied, oldest first. Confined to the lane's thread.
 *
 * <p>A failure to read is kept until everything read before it is applied.
 */
final class Incoming implements AutoCloseable {
  private final ChangeSource.Factory factory;
  private final LaneLimits limits;
  private final Deque<Transaction> waiting = new ArrayDeque<>();
  private long rows;
  private long bytes;
  private ReadAhead source;
  private RuntimeException failure;

  Incoming(ChangeSource.Factory factory, LaneLimits limits) {
    this.factory = factory;
    this.limits = limits;
  }

  boolean isOpen() {
    return source != null;
  }

  /** Reads from {@code position} on; forgets what was read before. */
  void open(LanePosition position) throws SourceAwayException {
    close();
    waiting.clear();
    rows = 0;
    bytes = 0;
    failure = null;
    try {
      source = new ReadAhead(factory.open(position), limits);
    } catch (RuntimeException e) {
      throw failed(e);
    }
  }

  /**
   * Takes what was read meanwhile, unless there is a batch already; waits for it if there is
   * nothing.
   *
   * @param applied what comes next follows it
   * @throws LaneException if there is nothing, and no more can be read
   * @throws SourceAwayException if there is nothing, and no more can be read now
   */
  void fill(LanePosition applied) throws SourceAwayException {
    if (failure == null && !hasBatch()) {
      try {
        take(
            source.poll(waiting.isEmpty() ? limits.pollTimeout() : Duration.ZERO),
            applied.applied());
      } catch (RuntimeException e) {
        failure = e;
      }
    }
    if (failure != null && waiting.isEmpty()) {
      throw failed(failure);
    }
  }

  private boolean hasBatch() {
    return rows >= limits.batchRows() || bytes >= limits.batchBytes();
  }

  private void take(List<Transaction> read, Lsn applied) {
    for (Transaction transaction : read) {
      Lsn last = waiting.isEmpty() ? applied : waiting.getLast().end();
      if (transaction.end().compareTo(last) <= 0) {
        continue;
      }
      if (transaction.previous().isAfter(last)) {
        throw new LaneException(
            Problem.GAP,
            """
            The transaction that ends at %s follows one that ends at %s, but the lane has only come \
            to %s: what lies between is missing from the topic. Do not cut over; find out what \
            deleted records there (retention, an unclean election, a recreated topic), and begin \
            again from a new anchor."""
                .formatted(transaction.end(), transaction.previous(), last));
      }
      waiting.add(transaction);
      rows += transaction.changes().size() + 1;
      bytes += transaction.bytes();
    }
  }

  private void removeFirst() {
    Transaction first = waiting.remove();
    rows -= first.changes().size() + 1;
    bytes -= first.bytes();
  }

  /** The next transactions, as many as fit into a batch and end at or before {@code limit}. */
  List<Transaction> batch(Lsn limit) {
    List<Transaction> batch = new ArrayList<>();
    long batchRows = 0;
    long batchBytes = 0;
    for (Transaction transaction : waiting) {
      batchRows += transaction.changes().size();
      batchBytes += transaction.bytes();
      boolean full = batchRows > limits.batchRows() || batchBytes > limits.batchBytes();
      if (transaction.end().isAfter(limit) || (full && !batch.isEmpty())) {
        break;
      }
      batch.add(transaction);
    }
    return batch;
  }

  /** Forgets the first {@code count}: they are applied. */
  void remove(int count) {
    for (int i = 0; i < count; i++) {
      removeFirst();
    }
  }

  /** Forgets what ends at or before {@code applied}. */
  void dropUpTo(Lsn applied) {
    while (!waiting.isEmpty() && waiting.peek().end().compareTo(applied) <= 0) {
      removeFirst();
    }
  }

  /**
   * Up to where it is known that nothing more will come, if all up to {@code applied} is applied:
   * just before the next transaction.
   */
  Lsn provenAfter(LanePosition applied) {
    return waiting.isEmpty() ? applied.applied() : new Lsn(waiting.peek().end().value() - 1);
  }

  @Override
  public void close() {
    if (source != null) {
      source.close();
      source = null;
    }
  }

  /** What the topic itself says is final; a broker that does not answer is not. */
  static SourceAwayException failed(RuntimeException e) {
    if (e instanceof LaneException known) {
      throw known;
    }
    if (e instanceof ChangeException topic) {
      throw new LaneException(
          problem(topic.reason()), "the changes cannot be read: " + topic.getMessage(), topic);
    }
    return new SourceAwayException(e);
  }

  private static Problem problem(ChangeException.Reason reason) {
    return switch (reason) {
      case GAP, RECORDS_GONE -> Problem.GAP;
      case OTHER_SERVER -> Problem.OTHER_SERVER;
      case CORRUPT, UNREADABLE, NOT_SENT -> Problem.SOURCE_FAILED;
    };
  }
}
