package dev.reshard.publish;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;

/** Makes a topic of one partition. Stateless. */
final class PublishedTopic {
  private static final int TIMEOUT_SECONDS = 5;

  private PublishedTopic() {}

  /**
   * Makes it, or gives one that is there its clean-up policy: a reader that came first may have
   * made it by asking for it, and such a topic forgets its records after a week.
   *
   * @throws KafkaException if Kafka does not
   */
  static void create(
      Map<String, Object> kafka, String topic, short replication, Feed.Settings settings)
      throws InterruptedException {
    Map<String, String> wanted =
        switch (settings) {
          case KEEP_ALL ->
              Map.of(
                  TopicConfig.CLEANUP_POLICY_CONFIG,
                  TopicConfig.CLEANUP_POLICY_DELETE,
                  TopicConfig.RETENTION_MS_CONFIG,
                  "-1");
          case KEEP_LAST ->
              Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
        };
    Map<String, Object> bounded = new HashMap<>(kafka);
    int timeoutMs = TIMEOUT_SECONDS * 1_000; // else closing it waits a minute for who is away
    bounded.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, timeoutMs);
    bounded.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, timeoutMs);
    try (Admin admin = Admin.create(bounded)) {
      boolean made =
          await(
              admin
                  .createTopics(List.of(new NewTopic(topic, 1, replication).configs(wanted)))
                  .all(),
              topic);
      if (!made) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        List<AlterConfigOp> changes =
            wanted.entrySet().stream()
                .map(entry -> new ConfigEntry(entry.getKey(), entry.getValue()))
                .map(entry -> new AlterConfigOp(entry, AlterConfigOp.OpType.SET))
                .toList();
        await(admin.incrementalAlterConfigs(Map.of(resource, changes)).all(), topic);
      }
    }
  }

  /** False if there is such a topic. */
  private static boolean await(KafkaFuture<Void> future, String topic) throws InterruptedException {
    try {
      future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TopicExistsException) {
        return false;
      }
      throw new KafkaException("topic " + topic + ": " + e.getCause().getMessage(), e);
    } catch (TimeoutException e) {
      throw new KafkaException("no answer from Kafka in %d s".formatted(TIMEOUT_SECONDS), e);
    }
  }
}
