package dev.reshard.cli;

import dev.reshard.spec.Spec;
import dev.reshard.topics.TopicNames;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a migration's topics as somebody who only looks: in no consumer group, and making no topic.
 * Confined to one thread.
 */
final class TopicReader implements AutoCloseable {
  private static final int LIMIT_MS = 10_000;
  private static final Duration POLL = Duration.ofMillis(200);

  /** As many of each partition are shown if nobody says since when. */
  private static final long LAST = 10;

  private final Spec spec;
  private final Map<String, Object> kafka;
  private final KafkaConsumer<byte[], byte[]> consumer;

  TopicReader(Spec spec) {
    this.spec = spec;
    this.kafka = new HashMap<>();
    spec.kafka().forEach((key, value) -> kafka.put(key, value.value()));
    kafka.put("default.api.timeout.ms", LIMIT_MS);
    kafka.put("request.timeout.ms", LIMIT_MS);
    Map<String, Object> properties = new HashMap<>(kafka);
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"); // the prefix is cut off
    this.consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * A topic that is there.
   *
   * @param records at most: compaction leaves gaps
   * @param bytes of one copy; empty if we may not know
   */
  record Found(String name, long records, OptionalLong bytes) {}

  /** All topics of the migration, and the one of its keyspace's map, by name. */
  List<Found> list() throws InterruptedException {
    Map<String, List<TopicPartition>> topics = partitions();
    Map<String, Long> bytes = bytes();
    List<Found> found = new ArrayList<>();
    topics.forEach(
        (topic, partitions) -> {
          long begin = sum(consumer.beginningOffsets(partitions));
          long end = sum(consumer.endOffsets(partitions));
          Long size = bytes.get(topic);
          found.add(
              new Found(
                  topic, end - begin, size == null ? OptionalLong.empty() : OptionalLong.of(size)));
        });
    return found;
  }

  private Map<String, List<TopicPartition>> partitions() {
    String all = new TopicNames(spec.topics().prefix(), spec.migration()).all();
    String routing = TopicNames.routing(spec.topics().prefix(), spec.keyspace().name());
    Map<String, List<TopicPartition>> partitions = new TreeMap<>();
    consumer
        .listTopics()
        .forEach(
            (topic, infos) -> {
              if (topic.startsWith(all) || topic.equals(routing)) {
                partitions.put(
                    topic,
                    infos.stream().map(p -> new TopicPartition(topic, p.partition())).toList());
              }
            });
    return partitions;
  }

  private static long sum(Map<TopicPartition, Long> offsets) {
    return offsets.values().stream().mapToLong(Long::longValue).sum();
  }

  /** By topic; the largest copy of each partition; nothing where we may not ask brokers. */
  private Map<String, Long> bytes() throws InterruptedException {
    Map<TopicPartition, Long> largest = new HashMap<>();
    try (Admin admin = Admin.create(kafka)) {
      List<Integer> brokers =
          admin.describeCluster().nodes().get(LIMIT_MS, TimeUnit.MILLISECONDS).stream()
              .map(Node::id)
              .toList();
      Map<Integer, Map<String, LogDirDescription>> dirs =
          admin.describeLogDirs(brokers).allDescriptions().get(LIMIT_MS, TimeUnit.MILLISECONDS);
      dirs.values().stream()
          .flatMap(byDir -> byDir.values().stream())
          .flatMap(dir -> dir.replicaInfos().entrySet().stream())
          .forEach(copy -> largest.merge(copy.getKey(), copy.getValue().size(), Math::max));
    } catch (ExecutionException | TimeoutException e) {
      return Map.of();
    }
    Map<String, Long> bytes = new HashMap<>();
    largest.forEach((partition, size) -> bytes.merge(partition.topic(), size, Long::sum));
    return bytes;
  }

  /**
   * The whole name of a topic of this migration.
   *
   * @param name whole, or what follows the migration's or the keyspace's name: {@code changes.a}
   * @return empty if there is none
   */
  Optional<String> find(String name) {
    return partitions().keySet().stream()
        .filter(topic -> topic.equals(name) || shortName(topic).equals(name))
        .findFirst();
  }

  /** Those that may be asked for. */
  List<String> shortNames() {
    return partitions().keySet().stream().map(this::shortName).toList();
  }

  private String shortName(String topic) {
    String all = new TopicNames(spec.topics().prefix(), spec.migration()).all();
    return topic.startsWith(all) ? topic.substring(all.length()) : "routing";
  }

  /**
   * Hands over records until the end that the topic has now, or for ever.
   *
   * @param since empty: the last few
   * @throws InterruptedException also while following: that is its end
   */
  void tail(
      String topic,
      Optional<Instant> since,
      boolean follow,
      Consumer<ConsumerRecord<byte[], byte[]>> out)
      throws InterruptedException {
    List<TopicPartition> partitions = partitions().get(topic);
    consumer.assign(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    seek(partitions, ends, since);
    while (follow || partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        if (follow || record.offset() < ends.get(partition)) {
          out.accept(record);
        }
      }
    }
  }

  private void seek(
      List<TopicPartition> partitions, Map<TopicPartition, Long> ends, Optional<Instant> since) {
    Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
    Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
    if (since.isPresent()) {
      Map<TopicPartition, Long> times = new HashMap<>();
      partitions.forEach(partition -> times.put(partition, since.get().toEpochMilli()));
      found.putAll(consumer.offsetsForTimes(times));
    }
    for (TopicPartition partition : partitions) {
      long end = ends.get(partition);
      OffsetAndTimestamp at = found.get(partition);
      long from = since.isEmpty() ? end - LAST : at == null ? end : at.offset();
      consumer.seek(partition, Math.max(from, begins.get(partition)));
    }
  }

  @Override
  public void close() {
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(1)));
  }
}
