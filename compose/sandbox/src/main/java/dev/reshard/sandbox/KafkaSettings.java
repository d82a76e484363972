package dev.reshard.sandbox;

import java.util.HashMap;
import java.util.Map;

/** The broker settings that every engine starts Kafka with: one node, little memory, no waiting. */
final class KafkaSettings {
  private static final Map<String, String> DEFAULTS =
      Map.ofEntries(
          Map.entry("auto.create.topics.enable", "false"),
          Map.entry("delete.topic.enable", "true"),
          Map.entry("num.partitions", "1"),
          Map.entry("default.replication.factor", "1"),
          Map.entry("min.insync.replicas", "1"),
          Map.entry("offsets.topic.replication.factor", "1"),
          Map.entry("offsets.topic.num.partitions", "1"),
          Map.entry("transaction.state.log.replication.factor", "1"),
          Map.entry("transaction.state.log.min.isr", "1"),
          Map.entry("transaction.state.log.num.partitions", "1"),
          // Else the first member of a group waits three seconds for others.
          Map.entry("group.initial.rebalance.delay.ms", "0"),
          Map.entry("num.network.threads", "2"),
          Map.entry("num.io.threads", "4"),
          Map.entry("background.threads", "2"),
          // The defaults take 128 MB of heap for the cleaner and map 20 MB of index per partition.
          Map.entry("log.cleaner.dedupe.buffer.size", "4194304"),
          Map.entry("log.index.size.max.bytes", "1048576"));

  private KafkaSettings() {}

  /** The defaults, with {@code extra} taking their place or joining them. */
  static Map<String, String> with(Map<String, String> extra) {
    Map<String, String> settings = new HashMap<>(DEFAULTS);
    settings.putAll(extra);
    return Map.copyOf(settings);
  }
}
