package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A broker of this test's own, because it is stopped. */
class SandboxKafkaIT {
  private static SandboxKafka kafka;

  @BeforeAll
  static void start() {
    kafka = SandboxKafka.start();
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @Test
  void whatIsSentIsReadByAGroup() throws Exception {
    createTopic("round-trip");
    send("round-trip", "one", "two");
    assertEquals(List.of("one", "two"), read("round-trip", 2));
  }

  @Test
  void aTransactionCommits() throws Exception {
    createTopic("transactions");
    try (KafkaProducer<String, String> producer =
        producer(Map.of("transactional.id", "sandbox-test"))) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("transactions", "aborted")).get();
      producer.abortTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("transactions", "committed")).get();
      producer.commitTransaction();
    }
    assertEquals(List.of("committed"), read("transactions", 1));
  }

  @Test
  void recordsSurviveTheBrokersAbsence() throws Exception {
    createTopic("absence");
    send("absence", "before");
    String address = kafka.bootstrapServers();
    kafka.stop();
    ExecutionException refused =
        assertThrows(ExecutionException.class, () -> send("absence", "during"));
    assertInstanceOf(TimeoutException.class, refused.getCause());
    kafka.restart();
    assertEquals(address, kafka.bootstrapServers());
    send("absence", "after");
    assertEquals(List.of("before", "after"), read("absence", 2));
  }

  @Test
  void topicsAreNotCreatedByUse() {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      ExecutionException refused =
          assertThrows(
              ExecutionException.class,
              () -> admin.describeTopics(List.of("nobody-made-it")).allTopicNames().get());
      assertInstanceOf(UnknownTopicOrPartitionException.class, refused.getCause());
    }
  }

  private static void createTopic(String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin
          .createTopics(List.of(new NewTopic(topic, Optional.empty(), Optional.empty())))
          .all()
          .get();
    }
  }

  private static void send(String topic, String... values) throws Exception {
    try (KafkaProducer<String, String> producer = producer(Map.of("max.block.ms", 2_000))) {
      for (String value : values) {
        producer.send(new ProducerRecord<>(topic, value)).get();
      }
    }
  }

  private static KafkaProducer<String, String> producer(Map<String, Object> extra) {
    Map<String, Object> config = new HashMap<>(extra);
    config.put("bootstrap.servers", kafka.bootstrapServers());
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  private static List<String> read(String topic, int count) {
    Map<String, Object> config =
        Map.of(
            "bootstrap.servers",
            kafka.bootstrapServers(),
            "group.id",
            topic + "-readers",
            "auto.offset.reset",
            "earliest",
            "isolation.level",
            "read_committed");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      List<String> values = new ArrayList<>();
      Instant deadline = Instant.now().plusSeconds(20);
      while (values.size() < count && Instant.now().isBefore(deadline)) {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
      }
      return values;
    }
  }
}
