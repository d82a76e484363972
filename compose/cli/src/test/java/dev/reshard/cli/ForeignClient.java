package dev.reshard.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.postgresql.util.PSQLException;

/**
 * An application that has none of our classes: it knows that a key's bucket is {@code key mod n},
 * reads the view {@code reshard.owners} once, follows the JSON in the topic of routing, and heeds
 * the fields of {@code RS001}. Thread-safe.
 */
final class ForeignClient implements AutoCloseable {
  private static final long WAIT_MS = 5;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Who owns each bucket, by index, at an epoch. */
  private record Owners(long epoch, List<String> byBucket) {}

  /** What a shard said of one bucket. */
  private record Said(long epoch, String owner) {}

  private final Map<String, String> urls;
  private final String user;
  private final String password;
  private final Map<Integer, Said> said = new ConcurrentHashMap<>();
  private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
  private final List<Throwable> failures =
      java.util.Collections.synchronizedList(new ArrayList<>());
  private final List<Thread> threads = new ArrayList<>();
  final AtomicInteger waits = new AtomicInteger();
  final AtomicInteger moves = new AtomicInteger();
  private volatile Owners owners;
  private volatile boolean fromTopic;
  private volatile boolean stopped;

  ForeignClient(Map<String, String> urls, String control, String user, String password)
      throws SQLException {
    this.urls = Map.copyOf(urls);
    this.user = user;
    this.password = password;
    List<String> byBucket = new ArrayList<>();
    long epoch = 0;
    try (Connection connection = connect(control);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT owner, epoch FROM reshard.owners WHERE keyspace = 'shop' ORDER BY bucket")) {
      while (row.next()) {
        byBucket.add(row.getString(1));
        epoch = Math.max(epoch, row.getLong(2));
      }
    }
    owners = new Owners(epoch, byBucket);
  }

  /** Follows the topic, and writes with some threads. */
  void start(String bootstrap, String topic, int writers) {
    run("follow", () -> follow(bootstrap, topic));
    for (int i = 0; i < writers; i++) {
      int writer = i;
      run("write", () -> write(writer));
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  private void run(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (Exception e) {
                failures.add(e);
              }
            },
            "foreign " + name);
    threads.add(thread);
    thread.start();
  }

  private void follow(String bootstrap, String topic) throws Exception {
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest"),
            new StringDeserializer(),
            new StringDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      while (!stopped) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          take(JSON.readTree(record.value()));
        }
      }
    }
  }

  private void take(JsonNode map) {
    if (map.path("epoch").asLong() >= owners.epoch()) {
      List<String> byBucket = new ArrayList<>();
      map.path("owner").forEach(o -> byBucket.add(map.path("shards").get(o.asInt()).asText()));
      owners = new Owners(map.path("epoch").asLong(), byBucket);
      fromTopic = true;
    }
  }

  /** Whether the map came from Kafka, at this epoch. */
  boolean hasSeen(long epoch) {
    return fromTopic && owners.epoch() == epoch;
  }

  List<Throwable> failures() {
    return List.copyOf(failures);
  }

  /** Each write that was acknowledged: {@code key/number}. */
  Set<String> acknowledged() {
    return acknowledged;
  }

  private String owner(int bucket) {
    Owners known = owners;
    Said news = said.get(bucket);
    return news != null && news.epoch() > known.epoch()
        ? news.owner()
        : known.byBucket().get(bucket);
  }

  private void write(int writer) throws Exception {
    Map<String, Connection> connections = new HashMap<>();
    try {
      for (long number = 0; !stopped; number++) {
        long key = (number * 7 + writer) % 64;
        long unique = number * 100 + writer;
        write(connections, key, unique);
        acknowledged.add(key + "/" + unique);
        Thread.sleep(WAIT_MS); // other work of the application
      }
    } finally {
      for (Connection connection : connections.values()) {
        connection.close();
      }
    }
  }

  private void write(Map<String, Connection> connections, long key, long number) throws Exception {
    while (true) {
      int bucket = (int) Math.floorMod(key, (long) owners.byBucket().size());
      String owner = owner(bucket);
      if (!connections.containsKey(owner)) {
        connections.put(owner, connect(owner));
      }
      try (PreparedStatement insert =
          connections.get(owner).prepareStatement("INSERT INTO foreign_writes VALUES (?, ?)")) {
        insert.setLong(1, key);
        insert.setLong(2, number);
        insert.executeUpdate();
        return;
      } catch (PSQLException e) {
        if (!"RS001".equals(e.getSQLState())) {
          throw e;
        }
        heed(JSON.readTree(e.getServerErrorMessage().getDetail()), bucket, owner);
      }
    }
  }

  private void heed(JsonNode detail, int bucket, String refusedBy) throws InterruptedException {
    if (detail.path("state").asText().equals("MOVED")
        && !detail.path("owner").asText().equals(refusedBy)) {
      moves.incrementAndGet();
      Said news = new Said(detail.path("epoch").asLong(), detail.path("owner").asText());
      said.merge(bucket, news, (a, b) -> a.epoch() > b.epoch() ? a : b);
      Thread.sleep(1); // a shard with older news must not make us spin
    } else {
      waits.incrementAndGet();
      Thread.sleep(WAIT_MS);
    }
  }

  private Connection connect(String shard) throws SQLException {
    return DriverManager.getConnection(urls.get(shard), user, password);
  }

  /** Ends all threads after what they are at. */
  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join(Duration.ofSeconds(10).toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
