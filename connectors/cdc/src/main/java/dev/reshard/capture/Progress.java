package dev.reshard.capture;

import dev.reshard.change.ChangeException;
import dev.reshard.postgres.Lsn;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * How far an incarnation has come: what Kafka has acknowledged, and from that, what PostgreSQL may
 * forget. Thread-safe.
 */
final class Progress {
  /**
   * What an ended transaction and the acknowledgement of its last record say together. Immutable.
   */
  record Published(Lsn end, Instant when) {}

  private final Supplier<Lsn> durable;
  private final AtomicLong bytesInFlight = new AtomicLong();
  private volatile Published published;
  private volatile ChangeException failure;

  /**
   * @param confirmed the slot's confirmed position
   * @param durable the position up to which changes are safe beyond Kafka; never confirms more
   */
  Progress(Lsn confirmed, Supplier<Lsn> durable) {
    this.durable = durable;
    this.published = new Published(confirmed, Instant.EPOCH);
  }

  void sent(int bytes) {
    bytesInFlight.addAndGet(bytes);
  }

  /** The broker has a record for good, and every one before it. */
  void acknowledged(int bytes, Lsn end) {
    bytesInFlight.addAndGet(-bytes);
    if (end != null) {
      published = new Published(end, Instant.now());
    }
  }

  /** A record was not taken: what came after it counts no more. */
  void failed(ChangeException error) {
    failure = error;
  }

  /**
   * @throws ChangeException if a record was not taken
   */
  void requireNoFailure() {
    ChangeException error = failure;
    if (error != null) {
      throw error;
    }
  }

  /** Bytes of records that were made and not acknowledged yet. */
  long bytesInFlight() {
    return bytesInFlight.get();
  }

  /** The last transaction that is in the topic as a whole. */
  Published published() {
    return published;
  }

  /** Whether any transaction was published since the incarnation began. */
  boolean hasPublished() {
    return !published.when().equals(Instant.EPOCH);
  }

  /** What may be confirmed to PostgreSQL (HAZARDS F23). */
  Lsn confirmable() {
    Lsn acknowledged = published.end();
    Lsn limit = durable.get();
    return acknowledged.isAfter(limit) ? limit : acknowledged;
  }
}
