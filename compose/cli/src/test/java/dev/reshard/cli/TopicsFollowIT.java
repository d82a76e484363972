package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.sandbox.SharedSandbox;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics are read without any shard: these are not there. */
@Timeout(60)
class TopicsFollowIT {
  private static final Map<String, Object> KAFKA =
      Map.of("bootstrap.servers", SharedSandbox.kafka().bootstrapServers());
  private static final String TOPIC = "reshard.followed.events";

  @TempDir private Path folder;

  @Test
  void aFollowedTopicIsPrintedAsItGrowsUntilItIsInterrupted() throws Exception {
    Path file = folder.resolve("followed.yaml");
    Files.writeString(file, yaml());
    StringWriter text = new StringWriter();
    try (Admin admin = Admin.create(KAFKA);
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(KAFKA, new StringSerializer(), new StringSerializer())) {
      admin
          .createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
          .all()
          .get(10, TimeUnit.SECONDS);
      send(producer, "before");
      String[] words = {"topics", "tail", "events", "--follow", "-f", file.toString()};
      Thread follower = new Thread(() -> Main.run(new PrintWriter(text, true), words));
      follower.start();
      await(follower, text, "before");
      send(producer, "first");
      await(follower, text, "first");
      assertFalse(text.toString().contains("second"));
      send(producer, "second");
      await(follower, text, "second");
      follower.interrupt();
      follower.join(10_000);
      assertFalse(follower.isAlive(), "it did not end");
      assertEquals(3, text.toString().lines().count(), text::toString);

      Answer once = Shop.run("topics", "tail", "events", "-f", file.toString());
      assertEquals(ExitCode.DONE.code(), once.exitCode());
      assertEquals(3, once.text().lines().count(), once::toString);
      admin.deleteTopics(List.of(TOPIC)).all().get(10, TimeUnit.SECONDS);
    }
  }

  private static void send(KafkaProducer<String, String> producer, String what) throws Exception {
    producer
        .send(new ProducerRecord<>(TOPIC, "followed", "{\"what\":\"%s\"}".formatted(what)))
        .get(10, TimeUnit.SECONDS);
  }

  private static void await(Thread follower, StringWriter text, String what)
      throws InterruptedException {
    while (!text.toString().contains(what)) {
      assertTrue(follower.isAlive(), "it ended by itself");
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
  }

  private static String yaml() {
    return """
        migration: followed
        shards: { a: "jdbc:postgresql://127.0.0.1:1/x", b: "jdbc:postgresql://127.0.0.1:1/x" }
        control: a
        kafka: { bootstrap.servers: "%s" }
        keyspace:
          name: followed
          key: customer
          buckets: { function: modulo, count: 8 }
          tables: { sharded: [ "public.*" ] }
        to: { balance: [a, b] }
        """
        .formatted(KAFKA.get("bootstrap.servers"));
  }
}
