package dev.reshard.publish;

import dev.reshard.control.MigrationState;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Service;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what the control database has stored, on a thread of its own that nobody waits for.
 * What cannot be published now is published later, by this worker or by the next. Thread-safe.
 */
public final class TopicPublisher implements Service {
  private static final Logger log = LoggerFactory.getLogger(TopicPublisher.class);
  private static final long LOOK_MS = 200;
  private static final long RETRY_MS = 2_000;

  /** A broker that is away longer than this is told of; shorter, it is only tried again. */
  private static final Duration SEND_LIMIT = Duration.ofSeconds(5);

  private static final long STOP_LIMIT_MS = 3_000;

  private final Migration migration;
  private final Feed feed;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Optional<String> obstacle = Optional.empty();
  private Thread thread;

  TopicPublisher(Migration migration, Feed feed) {
    this.migration = migration;
    this.feed = feed;
  }

  /** Changes of state and of owners, until the migration's topics are deleted. */
  public static TopicPublisher events(Migration migration) {
    return new TopicPublisher(migration, new EventFeed(migration));
  }

  /** The keyspace's map, as long as a worker lives. */
  public static TopicPublisher routing(Migration migration) {
    return new TopicPublisher(migration, new RoutingFeed(migration));
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return feed.runsIn(state);
  }

  @Override
  public synchronized void start() {
    if (thread == null && !isClosed()) {
      thread = new Thread(this::run, "publish " + feed.topic());
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void run() {
    while (!isClosed()) {
      try {
        publishUntilClosed();
        return;
      } catch (SQLException | KafkaException e) {
        if (obstacle.isEmpty()) {
          log.warn("topic {} is not written", feed.topic(), e);
        }
        obstacle = Optional.of(String.valueOf(e.getMessage()));
      } catch (InterruptedException e) {
        return; // closed
      }
      try {
        Thread.sleep(RETRY_MS); // Kafka may be back then
      } catch (InterruptedException e) {
        return; // closed
      }
    }
  }

  /** The last round begins after it was closed, so that the last change is published too. */
  private void publishUntilClosed() throws SQLException, InterruptedException {
    feed.register();
    PublishedTopic.create(
        migration.kafka(), feed.topic(), migration.spec().topics().replication(), feed.settings());
    try (Feed opened = feed;
        Closing producer = new Closing(new KafkaProducer<>(properties()))) {
      for (boolean last = isClosed(); ; last = closed.await(LOOK_MS, TimeUnit.MILLISECONDS)) {
        publish(opened, producer.kafka());
        obstacle = Optional.empty();
        if (last) {
          return;
        }
      }
    }
  }

  private boolean isClosed() {
    return closed.getCount() == 0;
  }

  private static void publish(Feed feed, KafkaProducer<String, byte[]> producer)
      throws SQLException, InterruptedException {
    for (List<Feed.Message> batch = feed.pending(); !batch.isEmpty(); batch = feed.pending()) {
      List<Future<?>> sent = new ArrayList<>();
      for (Feed.Message message : batch) {
        sent.add(
            producer.send(new ProducerRecord<>(feed.topic(), 0, message.key(), message.json())));
      }
      for (Future<?> acknowledged : sent) {
        try {
          acknowledged.get();
        } catch (ExecutionException e) {
          throw new KafkaException(e.getCause().getMessage(), e.getCause());
        }
      }
      feed.published();
    }
  }

  private Map<String, Object> properties() {
    Map<String, Object> properties = new HashMap<>(migration.kafka());
    properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
    properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    properties.put(ProducerConfig.ACKS_CONFIG, "all");
    properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    properties.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, SEND_LIMIT.toMillis());
    properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) SEND_LIMIT.toMillis());
    properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) SEND_LIMIT.toMillis());
    properties.put(CommonClientConfigs.CLIENT_ID_CONFIG, feed.topic());
    return properties;
  }

  /** A producer whose end is bounded: what it has not sent by then is sent by the next one. */
  private record Closing(KafkaProducer<String, byte[]> kafka) implements AutoCloseable {
    @Override
    public void close() {
      kafka.close(Duration.ZERO);
    }
  }

  @Override
  public Optional<String> trouble() {
    return obstacle.map(
        reason ->
            """
            Topic %s is not written: %s. Programs that read it learn nothing new; the migration and \
            cutovers do not wait for it. Look at Kafka; it is tried again by itself and nothing is left out."""
                .formatted(feed.topic(), reason));
  }

  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed.countDown();
      running = thread;
    }
    if (running == null) {
      return;
    }
    try {
      running.join(STOP_LIMIT_MS);
      running.interrupt();
      running.join(STOP_LIMIT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
