package dev.reshard.shadow;

import dev.reshard.migration.Migration;
import dev.reshard.topics.TopicNames;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * The topics and consumer groups of dual reads. Stateless. Register the topics before they are
 * made; delete them, and the groups, when the migration ends and the services are closed.
 */
public final class ShadowTopics {
  private static final long TIMEOUT_SECONDS = 15;

  /** Reads are counted again from here when a worker starts: a day of them takes minutes. */
  private static final String RETENTION_MS = Long.toString(TimeUnit.DAYS.toMillis(1));

  private ShadowTopics() {}

  /** All topics, in the order in which they are made; there are no others. */
  public static List<String> topics(TopicNames names) {
    return List.of(names.shadowReads(), names.mismatchRate(), names.mismatches());
  }

  /** What the names of all consumer groups begin with. */
  static String groups(TopicNames names) {
    return names.all() + "shadow.";
  }

  /**
   * Makes what is not there yet.
   *
   * @throws KafkaException if Kafka does not
   */
  public static void create(Migration migration) {
    try (Admin admin = Admin.create(migration.kafka())) {
      for (String topic : topics(migration.topics())) {
        NewTopic wanted =
            new NewTopic(topic, 1, migration.spec().topics().replication())
                .configs(Map.of(TopicConfig.RETENTION_MS_CONFIG, RETENTION_MS));
        await(
            admin.createTopics(List.of(wanted)).all(),
            "topic " + topic,
            TopicExistsException.class);
      }
    }
  }

  /**
   * Deletes the consumer groups of this migration's workers that nobody is in.
   *
   * @throws KafkaException if Kafka does not
   */
  public static void deleteGroups(Migration migration) {
    String prefix = groups(migration.topics());
    try (Admin admin = Admin.create(migration.kafka())) {
      Collection<GroupListing> all =
          await(admin.listGroups(new ListGroupsOptions()).all(), "consumer groups", null);
      for (GroupListing group : all) {
        if (group.groupId().startsWith(prefix)) {
          deleteGroup(admin, group.groupId());
        }
      }
    }
  }

  private static void deleteGroup(Admin admin, String group) {
    try {
      await(
          admin.deleteConsumerGroups(List.of(group)).all(),
          "consumer group " + group,
          GroupIdNotFoundException.class);
    } catch (KafkaException e) {
      if (!(e.getCause() instanceof GroupNotEmptyException)) {
        throw e;
      }
    }
  }

  /** What lies in the topic of reads now: by partition the next offset, of those with any read. */
  static Map<Integer, Long> ends(Migration migration) {
    String topic = migration.topics().shadowReads();
    try (Admin admin = Admin.create(migration.kafka())) {
      int partitions =
          await(admin.describeTopics(List.of(topic)).allTopicNames(), topic, null)
              .get(topic)
              .partitions()
              .size();
      Map<Integer, Long> ends = new TreeMap<>();
      for (int i = 0; i < partitions; i++) {
        TopicPartition partition = new TopicPartition(topic, i);
        long first = offset(admin, partition, OffsetSpec.earliest());
        long next = offset(admin, partition, OffsetSpec.latest());
        if (first < next) {
          ends.put(i, next);
        }
      }
      return ends;
    }
  }

  private static long offset(Admin admin, TopicPartition partition, OffsetSpec spec) {
    return await(
            admin.listOffsets(Map.of(partition, spec)).partitionResult(partition),
            partition.toString(),
            null)
        .offset();
  }

  /** Null if it failed in a way that is fine. */
  private static <T> T await(
      KafkaFuture<T> future, String what, Class<? extends KafkaException> fine) {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (fine != null && fine.isInstance(e.getCause())) {
        return null;
      }
      throw new KafkaException(what + ": " + e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new KafkaException(
          "%s: no answer from Kafka in %d s".formatted(what, TIMEOUT_SECONDS), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while waiting for " + what, e);
    }
  }
}
