package dev.reshard.capture;

import dev.reshard.change.ChangeWriter;
import dev.reshard.postgres.Lsn;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.kafka.connect.source.SourceRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One start of capture: one engine, one replication session, one producer. Ends at the first error
 * and is not started again. {@link #run} is called by one thread, the rest by any.
 */
final class Incarnation {
  private static final Logger LOG = LoggerFactory.getLogger(Incarnation.class);

  /** For the engine to end in good order. */
  private static final Duration GRACE = Duration.ofSeconds(3);

  /** The engine makes its task by name; this is how the task finds what it belongs to. */
  private static final Map<String, Incarnation> RUNNING = new ConcurrentHashMap<>();

  private final CaptureSource source;
  private final CaptureTarget target;
  private final long number;
  private final String id;
  private final Lsn confirmed;
  private final Progress progress;

  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private volatile DebeziumEngine<RecordChangeEvent<SourceRecord>> engine;
  private volatile ShardReplication replication;
  private volatile ChangeWriter writer;
  private volatile boolean stopping;

  /**
   * @param number higher than any before
   * @param confirmed the slot's confirmed position
   */
  Incarnation(
      CaptureSource source,
      CaptureTarget target,
      long number,
      Lsn confirmed,
      Supplier<Lsn> durable) {
    this.source = source;
    this.target = target;
    this.number = number;
    this.id = "reshard_%s_%d_%s".formatted(source.shard(), number, source.slot());
    this.confirmed = confirmed;
    this.progress = new Progress(confirmed, durable);
  }

  static Incarnation running(String id) {
    Incarnation incarnation = RUNNING.get(id);
    if (incarnation == null) {
      throw new IllegalStateException("no incarnation of capture is called " + id);
    }
    return incarnation;
  }

  /** Called by the engine's task. */
  ShardReplication connect() throws SQLException {
    ShardReplication session = new ShardReplication(source, number, confirmed, progress);
    replication = session;
    if (stopping) {
      session.close();
    }
    return session;
  }

  long number() {
    return number;
  }

  Progress progress() {
    return progress;
  }

  /** Whether changes are being streamed. */
  boolean isStreaming() {
    return replication != null && replication.isStreaming();
  }

  /**
   * Streams until it is stopped or fails.
   *
   * @return why it failed; null if it was stopped
   */
  Throwable run() {
    RUNNING.put(id, this);
    try (ChangeWriter producer =
        new ChangeWriter(target.kafka(), target.topic(), id, progress::failed)) {
      writer = producer;
      engine =
          DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
              .using(EngineSettings.of(source, id))
              .using(this::ended)
              .notifying(new Handover(producer, progress))
              .build();
      if (!stopping) {
        engine.run();
      }
    } catch (RuntimeException e) {
      failure.compareAndSet(null, e);
    } finally {
      RUNNING.remove(id);
      closeReplication();
    }
    return stopping && !(failure.get() instanceof CaptureException) ? null : failure.get();
  }

  /** Ends it for a reason that the engine cannot find; another one may go on. */
  void end(SQLException reason) {
    failure.compareAndSet(null, reason);
    closeReplication();
  }

  /** Ends it for a reason that it did not find itself, and that the next one would meet too. */
  void fail(CaptureException reason) {
    failure.compareAndSet(null, reason);
    stop();
  }

  /**
   * Asks it to end, and takes its session and its producer away so that it does, also while Kafka
   * or PostgreSQL do not answer; {@link #run} then returns. Waits some seconds at most.
   */
  void stop() {
    stopping = true;
    Thread closer = new Thread(this::closeEngine, id + "-close");
    closer.setDaemon(true);
    closer.start();
    try {
      closer.join(GRACE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeReplication();
    ChangeWriter producer = writer;
    if (producer != null) {
      producer.close();
    }
  }

  private void closeEngine() {
    DebeziumEngine<?> running = engine;
    if (running != null) {
      try {
        running.close();
      } catch (IOException | IllegalStateException e) {
        // it is starting or has ended; without its session it ends by itself
        LOG.debug("{}: {}", id, e.getMessage());
      }
    }
  }

  private void ended(boolean success, String message, Throwable error) {
    if (!success || error != null) {
      failure.compareAndSet(
          null, error != null ? error : new IllegalStateException("the engine ended: " + message));
    }
  }

  private void closeReplication() {
    ShardReplication session = replication;
    if (session != null) {
      try {
        session.close();
      } catch (SQLException e) {
        // it was broken already
      }
    }
  }
}
