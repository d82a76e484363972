package dev.reshard.capture;

import dev.reshard.postgres.Lsn;
import io.debezium.connector.postgresql.connection.LogicalDecodingMessage;
import io.debezium.connector.postgresql.connection.ReplicationMessage.Operation;
import io.debezium.connector.postgresql.connection.ReplicationStream;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads pgoutput and hands the records of the change topic to the engine, as the content of a
 * logical decoding message ({@link Outbox}). Read by one thread; the server is kept informed from
 * another, so that it does not hang up while Kafka is slow.
 */
final class ShardStream implements ReplicationStream {
  private static final Logger LOG = LoggerFactory.getLogger(ShardStream.class);

  /** Not read on while more than this was not acknowledged by Kafka. */
  private static final long MAX_BYTES_IN_FLIGHT = 8L * 1024 * 1024;

  /** Messages taken in one go before the engine gets a look at its own state again. */
  private static final int MAX_MESSAGES_AT_ONCE = 1_000;

  /** A message that took longer to come, in nanoseconds, had not been sent yet: nothing waits. */
  private static final long WAITED_NANOS = 30_000;

  /**
   * So many messages without a pause, and more will come: they are left to gather for a moment.
   * Taken one by one, as they are sent, each costs both processes a switch.
   */
  private static final int MANY = 16;

  private static final Duration GATHER = Duration.ofMillis(1);

  /**
   * How often a new position is confirmed; the server forgets WAL at checkpoints, minutes apart.
   */
  private static final Duration CONFIRM_INTERVAL = Duration.ofMillis(200);

  private final PGReplicationStream stream;
  private final PgOutput decoder;
  private final Outbox outbox;
  private final Progress progress;
  private final Duration statusInterval;

  private volatile io.debezium.connector.postgresql.connection.Lsn received =
      io.debezium.connector.postgresql.connection.Lsn.valueOf(0L);
  private long confirmedAtNanos = System.nanoTime();
  private ExecutorService keepAlive;

  ShardStream(
      PGReplicationStream stream,
      PgOutput decoder,
      Outbox outbox,
      Progress progress,
      Duration statusInterval) {
    this.stream = stream;
    this.decoder = decoder;
    this.outbox = outbox;
    this.progress = progress;
    this.statusInterval = statusInterval;
  }

  /**
   * Hands over what has come, after waiting a moment if nothing has.
   *
   * @return always true: after false the engine would sleep for its poll interval
   */
  @Override
  public boolean readPending(ReplicationMessageProcessor processor)
      throws SQLException, InterruptedException {
    progress.requireNoFailure();
    if (System.nanoTime() - confirmedAtNanos > CONFIRM_INTERVAL.toNanos()) {
      confirm();
      confirmedAtNanos = System.nanoTime();
    }
    if (progress.bytesInFlight() > MAX_BYTES_IN_FLIGHT) {
      Thread.sleep(1);
      return true;
    }
    outbox.whenFull(() -> handOverInPieces(processor));
    for (int i = 0; i < MAX_MESSAGES_AT_ONCE; i++) {
      long askedNanos = System.nanoTime();
      ByteBuffer message = receive();
      if (message == null) {
        break;
      }
      boolean waited = System.nanoTime() - askedNanos > WAITED_NANOS;
      received = position(stream.getLastReceiveLSN().asLong());
      decoder.read(message);
      if (outbox.isDue()) {
        handOver(processor);
        return true;
      }
      if (waited && i >= MANY) {
        Thread.sleep(GATHER.toMillis());
        return true;
      }
    }
    if (!outbox.isEmpty()) {
      handOver(processor);
    }
    return true;
  }

  @Override
  public void read(ReplicationMessageProcessor processor)
      throws SQLException, InterruptedException {
    readPending(processor);
  }

  /** Whatever the engine has stored: what is confirmed follows from what Kafka acknowledged. */
  @Override
  public void flushLsn(io.debezium.connector.postgresql.connection.Lsn ignored)
      throws SQLException {
    confirm();
  }

  @Override
  public io.debezium.connector.postgresql.connection.Lsn lastReceivedLsn() {
    return received;
  }

  @Override
  public io.debezium.connector.postgresql.connection.Lsn startLsn() {
    return position(0);
  }

  @Override
  public void startKeepAlive(ExecutorService service) {
    keepAlive = service;
    keepAlive.execute(
        () -> {
          try {
            while (true) {
              Thread.sleep(statusInterval.toMillis());
              stream.forceUpdateStatus();
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } catch (SQLException e) {
            LOG.debug("no status to the server any more: {}", e.getMessage());
          }
        });
  }

  @Override
  public void stopKeepAlive() {
    if (keepAlive != null) {
      keepAlive.shutdownNow();
    }
  }

  @Override
  public void close() throws SQLException {
    stream.close();
  }

  private ByteBuffer receive() throws SQLException {
    try {
      return stream.readPending(); // waits up to a millisecond for the first byte
    } catch (OutOfMemoryError e) {
      // whatever it was, the next incarnation would meet it again
      throw new CaptureException(
          CaptureException.Reason.ROW_TOO_LARGE,
          ("a change after %s (the row as text, with REPLICA IDENTITY FULL twice) does not fit into "
                  + "the heap of %d MB. It, and all after it, are not replicated; do not cut over. "
                  + "Start the worker anew with a larger heap (-Xmx), then 'reshard resume'.")
              .formatted(received, Runtime.getRuntime().maxMemory() >> 20),
          e);
    }
  }

  /** In the midst of a row that is larger than what may be on its way. */
  private void handOverInPieces(ReplicationMessageProcessor processor) {
    try {
      handOver(processor);
      while (progress.bytesInFlight() > MAX_BYTES_IN_FLIGHT) {
        progress.requireNoFailure();
        Thread.sleep(1); // until Kafka has taken some
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted in the midst of a row", e);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void handOver(ReplicationMessageProcessor processor)
      throws SQLException, InterruptedException {
    processor.process(
        new LogicalDecodingMessage(
            Operation.MESSAGE, Instant.now(), null, false, "", outbox.drain()));
  }

  private void confirm() throws SQLException {
    LogSequenceNumber confirmable = LogSequenceNumber.valueOf(progress.confirmable().value());
    if (Lsn.ZERO.value() != confirmable.asLong()
        && stream.getLastFlushedLSN().compareTo(confirmable) < 0) {
      stream.setFlushedLSN(confirmable);
      stream.setAppliedLSN(confirmable);
      stream.forceUpdateStatus();
    }
  }

  private static io.debezium.connector.postgresql.connection.Lsn position(long lsn) {
    return io.debezium.connector.postgresql.connection.Lsn.valueOf(lsn);
  }
}
