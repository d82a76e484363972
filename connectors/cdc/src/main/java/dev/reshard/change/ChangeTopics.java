package dev.reshard.change;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Makes and deletes change topics. Stateless. */
public final class ChangeTopics {
  private static final long TIMEOUT_SECONDS = 30;

  private ChangeTopics() {}

  /**
   * Makes a topic of one partition that keeps its records until somebody deletes them; nothing
   * happens if it exists.
   *
   * @param kafka client properties: addresses and security
   * @throws KafkaException if Kafka does not make it
   */
  public static void create(Map<String, Object> kafka, String topic, short replication) {
    NewTopic wanted = wanted(topic, replication);
    try (Admin admin = Admin.create(kafka)) {
      await(admin.createTopics(List.of(wanted)).all(), TopicExistsException.class, topic);
    }
  }

  /** The topic as {@link #create} asks for it. */
  public static NewTopic wanted(String topic, short replication) {
    return new NewTopic(topic, 1, replication)
        .configs(
            Map.of(
                TopicConfig.RETENTION_MS_CONFIG,
                "-1",
                TopicConfig.RETENTION_BYTES_CONFIG,
                "-1",
                TopicConfig.CLEANUP_POLICY_CONFIG,
                TopicConfig.CLEANUP_POLICY_DELETE,
                TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG,
                "false",
                TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
                replication > 2 ? "2" : "1",
                TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                Integer.toString(ChangeWriter.MAX_RECORD_BYTES)));
  }

  /** Deletes a topic; nothing happens if there is none. */
  public static void delete(Map<String, Object> kafka, String topic) {
    try (Admin admin = Admin.create(kafka)) {
      await(
          admin.deleteTopics(List.of(topic)).all(), UnknownTopicOrPartitionException.class, topic);
    }
  }

  private static void await(
      KafkaFuture<Void> future, Class<? extends KafkaException> fine, String topic) {
    try {
      future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (!fine.isInstance(e.getCause())) {
        throw new KafkaException("topic " + topic + ": " + e.getCause().getMessage(), e);
      }
    } catch (TimeoutException e) {
      throw new KafkaException(
          "topic %s: no answer from Kafka in %d s".formatted(topic, TIMEOUT_SECONDS), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while waiting for topic " + topic, e);
    }
  }
}
