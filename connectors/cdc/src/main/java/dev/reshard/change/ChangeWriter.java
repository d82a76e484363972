package dev.reshard.change;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends one incarnation's records to a change topic, in order. The first error is final: what was
 * sent after it may or may not be in the topic, so a new incarnation has to begin (HAZARDS F23).
 * Confined to one thread, save {@link #close}.
 */
public final class ChangeWriter implements AutoCloseable {
  /**
   * No record is as large: a chunk, a table's columns and tokens. Kafka's own default, so that no
   * broker has to be told.
   */
  static final int MAX_RECORD_BYTES = 1024 * 1024;

  /** More is not on its way at a time, so it need not be in memory. */
  private static final long BUFFER_BYTES = 16L * 1024 * 1024;

  private final String topic;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Consumer<ChangeException> failed;
  private final AtomicReference<ChangeException> failure = new AtomicReference<>();

  /**
   * @param kafka client properties: addresses and security
   * @param clientId how the broker's logs call it
   * @param failed told of the first error, {@code NOT_SENT}, on any thread
   */
  public ChangeWriter(
      Map<String, Object> kafka, String topic, String clientId, Consumer<ChangeException> failed) {
    this.topic = topic;
    this.failed = failed;
    Map<String, Object> properties = new HashMap<>(kafka);
    properties.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
    properties.put(ProducerConfig.ACKS_CONFIG, "all");
    properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    properties.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    properties.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 * 1024);
    properties.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_RECORD_BYTES);
    properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
    this.producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /**
   * Hands a record to the producer.
   *
   * @param acknowledged called on the producer's thread when the broker has it for good, in the
   *     order of sending; not called for a record that failed or came after one that did
   * @throws ChangeException {@code NOT_SENT} if an earlier one failed
   */
  @SuppressWarnings("FutureReturnValueIgnored") // the callback hears the same
  public void send(byte[] record, Consumer<Long> acknowledged) {
    throwIfFailed();
    try {
      producer.send(
          new ProducerRecord<>(topic, 0, null, record),
          (metadata, error) -> {
            if (error != null) {
              fail(error);
            } else if (failure.get() == null) {
              acknowledged.accept(metadata.offset());
            }
          });
    } catch (KafkaException | IllegalStateException e) {
      fail(e);
      throwIfFailed();
    }
  }

  /**
   * Waits until everything sent is acknowledged.
   *
   * @throws ChangeException {@code NOT_SENT} if something was not
   */
  public void flush() {
    producer.flush();
    throwIfFailed();
  }

  /** Drops what was not sent yet. Idempotent; waits a second at most. */
  @Override
  public void close() {
    producer.close(Duration.ofSeconds(1));
  }

  private void fail(Exception error) {
    ChangeException named =
        new ChangeException(
            ChangeException.Reason.NOT_SENT,
            "Kafka did not take a record of topic %s: %s".formatted(topic, error.getMessage()),
            error);
    if (failure.compareAndSet(null, named)) {
      failed.accept(named);
    }
  }

  private void throwIfFailed() {
    ChangeException error = failure.get();
    if (error != null) {
      throw error;
    }
  }
}
