package dev.reshard.probe;

import dev.reshard.topics.ShadowRead;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends reads to their topic; one that Kafka does not take is lost, and that is told. Thread-safe.
 */
final class ReadTopic implements ReadSink, AutoCloseable {
  private final String topic;
  private final KafkaProducer<String, byte[]> producer;
  private volatile Optional<String> failure = Optional.empty();

  ReadTopic(Map<String, Object> kafka, String topic) {
    this.topic = topic;
    Map<String, Object> properties = new HashMap<>(kafka);
    properties.put(ProducerConfig.CLIENT_ID_CONFIG, topic + ".prober");
    properties.put(ProducerConfig.ACKS_CONFIG, "all");
    properties.put(ProducerConfig.LINGER_MS_CONFIG, 10);
    properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 4L * 1024 * 1024);
    properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1_000);
    properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
    properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 10_000);
    this.producer =
        new KafkaProducer<>(properties, new StringSerializer(), new ByteArraySerializer());
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // the callback hears the same
  public void take(ShadowRead read) {
    try {
      producer.send(
          new ProducerRecord<>(topic, read.group(), read.encode()), (sent, error) -> note(error));
    } catch (KafkaException | IllegalStateException e) {
      note(e);
    }
  }

  private void note(Exception error) {
    failure = Optional.ofNullable(error).map(Exception::getMessage);
  }

  /** Why the last read was lost; empty if it was not. */
  Optional<String> failure() {
    return failure.map(why -> "Kafka does not take reads for topic %s: %s".formatted(topic, why));
  }

  @Override
  public void close() {
    producer.close(Duration.ofSeconds(1));
  }
}
