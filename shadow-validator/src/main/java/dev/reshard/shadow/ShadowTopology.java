package dev.reshard.shadow;

import dev.reshard.topics.ShadowRead;
import dev.reshard.topics.TopicNames;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.Stores;

/**
 * From reads to rates and to rows that differ. Stateless.
 *
 * <p>Its state is in memory only and no topic backs it: whoever runs it never commits an offset
 * while it lives, so that state and position are lost together and both begin again with the topic
 * ({@link ShadowService}). So it leaves no topic of its own behind.
 */
final class ShadowTopology {
  /** Store: counts by table and destination. */
  static final String TOTALS = "totals";

  /** Store: the offset that comes next, by partition of the topic of reads. */
  static final String POSITIONS = "positions";

  /** Sink of rates. */
  static final String RATES = "rates";

  /** Sink of rows that differ. */
  static final String MISMATCHES = "mismatches";

  private ShadowTopology() {}

  static Topology build(TopicNames topics) {
    return new Topology()
        .addSource(
            "reads",
            new StringDeserializer(),
            (topic, bytes) -> ShadowRead.decode(bytes),
            topics.shadowReads())
        .addProcessor("count", RateProcessor::new, "reads")
        .addStateStore(
            Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(TOTALS), Serdes.String(), Counts.serde())
                .withLoggingDisabled(),
            "count")
        .addStateStore(
            Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(POSITIONS), Serdes.Integer(), Serdes.Long())
                .withLoggingDisabled(),
            "count")
        .addSink(
            RATES,
            topics.mismatchRate(),
            new StringSerializer(),
            new ByteArraySerializer(),
            "count")
        .addSink(
            MISMATCHES,
            topics.mismatches(),
            new StringSerializer(),
            new ByteArraySerializer(),
            "count");
  }
}
