package dev.reshard.shadow;

import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Service;
import dev.reshard.topics.MismatchRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Judges and counts dual reads while the worker lives. Each start counts from the beginning of the
 * topic of reads, under a consumer group of its own: no difference is forgotten by a crash. With a
 * rate of 0 it does nothing. Thread-safe.
 */
public final class ShadowService implements Service {
  private static final Logger log = LoggerFactory.getLogger(ShadowService.class);
  private static final Duration STOP = Duration.ofSeconds(5);
  private static final long RETRY_MS = 2_000;

  private final Migration migration;
  private KafkaStreams streams;
  private Path directory;
  private Map<Integer, Long> ends = Map.of();
  private Thread starter;
  private volatile boolean isClosed;
  private volatile Throwable failure;
  private volatile Optional<String> obstacle = Optional.empty();

  public ShadowService(Migration migration) {
    this.migration = migration;
  }

  /** Whether the spec asks for dual reads at all. */
  public boolean isWanted() {
    return migration.spec().shadow().probe() > 0;
  }

  /**
   * Begins, on a thread of its own, to make the topics, written down for clean-up before, and to
   * count: a broker that is away holds nobody up.
   */
  @Override
  public synchronized void start() {
    if (isWanted() && starter == null && !isClosed) {
      starter = new Thread(this::begin, "dual reads start");
      starter.setDaemon(true);
      starter.start();
    }
  }

  private void begin() {
    while (!isClosed) {
      try {
        for (String topic : ShadowTopics.topics(migration.topics())) {
          migration.control().registry().register(migration.home(), Kind.TOPIC, topic, "");
        }
        ShadowTopics.create(migration);
        count(ShadowTopics.ends(migration));
        obstacle = Optional.empty();
        return;
      } catch (SQLException | IOException | KafkaException e) {
        log.warn("dual reads cannot be counted yet", e);
        obstacle = Optional.ofNullable(e.getMessage());
      }
      try {
        Thread.sleep(RETRY_MS); // the broker may be back then
      } catch (InterruptedException e) {
        return; // closed
      }
    }
  }

  private synchronized void count(Map<Integer, Long> readsSoFar) throws IOException {
    if (isClosed) {
      return;
    }
    ends = readsSoFar;
    directory = Files.createTempDirectory("reshard-shadow");
    streams = new KafkaStreams(ShadowTopology.build(migration.topics()), properties());
    streams.setUncaughtExceptionHandler(
        e -> {
          failure = e;
          log.error("counting of dual reads stopped", e);
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.start();
  }

  private String group() {
    return ShadowTopics.groups(migration.topics()) + migration.worker().lease();
  }

  private Properties properties() {
    Properties properties = new Properties();
    properties.putAll(migration.kafka());
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, group());
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
    // never while it lives: what is in memory and the position are lost together, or not at all
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Long.MAX_VALUE);
    properties.put(
        StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
        LogAndContinueExceptionHandler.class);
    properties.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 10);
    return properties;
  }

  /** Counts by table and destination, or empty while the topology is not running. */
  synchronized Optional<Map<String, Counts>> counts() {
    if (streams == null || streams.state() != KafkaStreams.State.RUNNING) {
      return Optional.empty();
    }
    try {
      ReadOnlyKeyValueStore<Integer, Long> positions =
          streams.store(
              StoreQueryParameters.fromNameAndType(
                  ShadowTopology.POSITIONS, QueryableStoreTypes.keyValueStore()));
      for (Map.Entry<Integer, Long> end : ends.entrySet()) {
        Long next = positions.get(end.getKey());
        if (next == null || next < end.getValue()) {
          return Optional.empty(); // what earlier workers found is not counted yet
        }
      }
      ReadOnlyKeyValueStore<String, Counts> totals =
          streams.store(
              StoreQueryParameters.fromNameAndType(
                  ShadowTopology.TOTALS, QueryableStoreTypes.keyValueStore()));
      Map<String, Counts> counts = new LinkedHashMap<>();
      try (KeyValueIterator<String, Counts> all = totals.all()) {
        all.forEachRemaining(entry -> counts.put(entry.key, entry.value));
      }
      return Optional.of(counts);
    } catch (InvalidStateStoreException e) {
      return Optional.empty(); // it is being handed over
    }
  }

  /** All counts in one; empty while not all reads in the topic have been counted. */
  public Optional<Counts> total() {
    return counts().map(all -> all.values().stream().reduce(Counts.NONE, Counts::plus));
  }

  @Override
  public Optional<String> trouble() {
    if (failure != null) {
      return Optional.of(
          """
          Counting of dual reads stopped: %s. The gate on mismatches stays shut until it goes on; \
          replication is not affected. Stop the worker and start it again with 'reshard run'."""
              .formatted(failure.getMessage()));
    }
    if (obstacle.isPresent()) {
      return Optional.of(
          """
          Dual reads cannot be counted yet: %s. The gate on mismatches stays shut meanwhile; \
          replication is not affected. It is tried again by itself."""
              .formatted(obstacle.get()));
    }
    return total()
        .filter(counts -> counts.differences() > 0)
        .map(
            counts ->
                """
                %d of %d dual reads found a row that differs. Topic %s names the rows: look at \
                them before you cut over."""
                    .formatted(
                        counts.differences(), counts.compared(), migration.topics().mismatches()));
  }

  /** {@code shadow}: what was read so far; empty until that is known. */
  @Override
  public Map<String, Object> report() {
    Optional<Counts> total = total();
    if (total.isEmpty()) {
      return Map.of();
    }
    MismatchRate.Rate rate = total.get().rate();
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("reads", rate.compared());
    report.put("mismatches", rate.mismatches());
    report.put("upper_bound", rate.upperBound());
    report.put("counts", total.get().byWord());
    return Map.of("shadow", report);
  }

  /**
   * Also deletes its consumer group, and those of workers that were killed, so that none is left
   * even if this one never started. The topics stay until the migration's clean-up.
   */
  @Override
  public void close() {
    Thread starting;
    synchronized (this) {
      if (isClosed || !isWanted()) {
        return;
      }
      isClosed = true;
      starting = starter;
    }
    try {
      if (starting != null) {
        starting.interrupt();
        starting.join(STOP.toMillis());
      }
      stop();
      ShadowTopics.deleteGroups(migration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (KafkaException | IOException e) {
      log.warn("left behind: consumer group {} or directory {}", group(), directory, e);
    }
  }

  private synchronized void stop() throws IOException {
    if (streams == null) {
      return;
    }
    boolean stopped =
        streams.close(
            CloseOptions.timeout(STOP)
                .withGroupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
    if (!stopped) {
      log.warn("counting of dual reads has not stopped in {}", STOP);
    }
    delete(directory);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    }
  }
}
