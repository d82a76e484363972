package dev.reshard.change;

import dev.reshard.change.ChangeException.Reason;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads one shard's change topic from a position on: complete transactions of the newest
 * incarnation, each once, in commit order. Belongs to no consumer group; the position is the
 * caller's to keep. Confined to one thread, save {@link #wakeup}.
 */
public final class ChangeReader implements AutoCloseable {

  /**
   * From where to read on. Immutable.
   *
   * @param incarnation of the last transaction taken, before the first one the newest that does not
   *     count any more: whatever an older one sent is dropped; 0 for none
   * @param end of the last transaction taken; for none the anchor's position
   * @param offset of the next record to read
   */
  public record Position(long incarnation, Lsn end, long offset) {
    /** Everything after an anchor, from the topic's first record on. */
    public static Position after(Lsn anchor) {
      return new Position(0, anchor, 0);
    }

    /** Everything after a transaction. */
    public static Position after(Transaction transaction) {
      return new Position(transaction.incarnation(), transaction.end(), transaction.offset() + 1);
    }
  }

  /**
   * How far the source had come, as far as was read. Immutable.
   *
   * @param committed when the last transaction or heartbeat read was committed, by the source's
   *     clock; empty before the first one
   * @param recordsBehind records in the topic that were not read yet
   */
  public record Lag(Optional<Instant> committed, long recordsBehind) {}

  /** Twice as much is in memory: what is read, and what is fetched meanwhile. */
  private static final int FETCH_BYTES = 4 * 1024 * 1024;

  private final TopicPartition partition;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final TopicStore store;
  private final TransactionAssembler assembler;
  private final Queue<ConsumerRecord<byte[], byte[]>> fetched = new ArrayDeque<>();

  private Optional<Instant> committed = Optional.empty();

  /** Where the topic ended when a gap was found; -1 while there is none. */
  private long lookAhead = -1;

  /**
   * @param kafka client properties: addresses and security
   * @param server whose changes are expected, as far as the position's incarnation does not drop
   *     them; empty: whoever's come first
   */
  public ChangeReader(
      Map<String, Object> kafka, String topic, Position from, Optional<ServerIdentity> server) {
    Map<String, Object> properties = new HashMap<>(kafka);
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    properties.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES);
    this.partition = new TopicPartition(topic, 0);
    this.store = new TopicStore(properties, partition);
    this.assembler =
        new TransactionAssembler(topic, store, from.incarnation(), from.end(), server.orElse(null));
    this.consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.assign(List.of(partition));
    consumer.seek(partition, from.offset());
  }

  /**
   * The next transaction; empty if none was complete in time, or after {@link #wakeup}. An empty
   * transaction is a heartbeat: the source has come as far as its end.
   *
   * @throws ChangeException if the topic cannot be read on; the position has not moved
   */
  public Optional<Transaction> next(Duration timeout) {
    long deadlineNanos = System.nanoTime() + timeout.toNanos();
    while (true) {
      Optional<Transaction> transaction = fromFetched();
      if (transaction.isPresent()) {
        committed = transaction.map(Transaction::committed);
        return transaction;
      }
      throwGapIfFinal();
      long leftNanos = deadlineNanos - System.nanoTime();
      boolean woken = !poll(Duration.ofNanos(Math.max(0, leftNanos)));
      if (woken || (leftNanos <= 0 && fetched.isEmpty())) {
        return Optional.empty();
      }
    }
  }

  /** Where the last transaction returned ended. */
  public Lsn position() {
    return assembler.position();
  }

  /** Whose changes these are; empty before the first one was read, if none was expected. */
  public Optional<ServerIdentity> server() {
    return assembler.server();
  }

  public Lag lag() {
    long behind = consumer.currentLag(partition).orElse(0) + fetched.size();
    return new Lag(committed, behind);
  }

  /** Makes a waiting {@link #next} return. Thread-safe. */
  public void wakeup() {
    consumer.wakeup();
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
    store.close();
  }

  private Optional<Transaction> fromFetched() {
    for (ConsumerRecord<byte[], byte[]> record = fetched.poll();
        record != null;
        record = fetched.poll()) {
      Optional<Transaction> transaction = assembler.take(record.value(), record.offset());
      if (transaction.isPresent()) {
        return transaction;
      }
    }
    return Optional.empty();
  }

  /** A gap is final when the topic holds no newer incarnation that would close it. */
  private void throwGapIfFinal() {
    Optional<ChangeException> gap = assembler.gap();
    if (gap.isEmpty()) {
      lookAhead = -1;
    } else if (lookAhead < 0) {
      lookAhead = consumer.endOffsets(List.of(partition)).get(partition);
    }
    if (gap.isPresent() && consumer.position(partition) >= lookAhead) {
      throw gap.get();
    }
  }

  /** Fetches; false if it was woken instead. */
  private boolean poll(Duration timeout) {
    try {
      consumer.poll(timeout).records(partition).forEach(fetched::add);
      return true;
    } catch (WakeupException e) {
      return false;
    } catch (InvalidOffsetException e) {
      throw new ChangeException(
          Reason.RECORDS_GONE,
          ("topic %s does not hold the records from the reader's position on (%s). It was made "
                  + "anew or cut, and changes are missing. Copy again from a new anchor.")
              .formatted(partition.topic(), e.getMessage()),
          e);
    }
  }
}
