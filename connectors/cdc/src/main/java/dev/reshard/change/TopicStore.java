package dev.reshard.change;

import dev.reshard.change.ChangeException.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads parts of a change topic again, with a consumer of its own that is made when it is first
 * needed. Confined to the reader's thread.
 */
final class TopicStore implements ChunkStore, AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Map<String, Object> properties;
  private final TopicPartition partition;
  private KafkaConsumer<byte[], byte[]> consumer;
  private long position = -1;
  private boolean closed;

  /**
   * @param properties of a consumer without a group
   */
  TopicStore(Map<String, Object> properties, TopicPartition partition) {
    this.properties = properties;
    this.partition = partition;
  }

  @Override
  public List<Stored> from(long offset) {
    open();
    if (position != offset) {
      consumer.seek(partition, offset);
    }
    List<Stored> records = new ArrayList<>();
    long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (records.isEmpty()) {
        if (System.nanoTime() - deadlineNanos > 0) {
          throw new TimeoutException(
              "topic %s, offset %d: Kafka did not give this record again in %s"
                  .formatted(partition.topic(), offset, PATIENCE));
        }
        consumer
            .poll(Duration.ofSeconds(1))
            .records(partition)
            .forEach(record -> records.add(new Stored(record.offset(), record.value())));
      }
    } catch (InvalidOffsetException e) {
      throw new ChangeException(
          Reason.RECORDS_GONE,
          "topic %s does not hold a large transaction any more while it is applied: %s"
              .formatted(partition.topic(), e.getMessage()),
          e);
    }
    position = records.get(records.size() - 1).offset() + 1;
    return records;
  }

  @Override
  public void close() {
    closed = true;
    if (consumer != null) {
      consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
    }
  }

  private void open() {
    if (closed) {
      throw new IllegalStateException("the reader of " + partition.topic() + " is closed");
    }
    if (consumer == null) {
      consumer =
          new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      consumer.assign(List.of(partition));
    }
  }
}
