package dev.reshard.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.topics.ShadowRead;
import dev.reshard.topics.TopicNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShadowTopologyTest {
  private static final TopicNames TOPICS = new TopicNames("reshard", "shop");
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private TopologyTestDriver driver;
  private TestInputTopic<String, byte[]> reads;
  private TestOutputTopic<String, byte[]> rates;
  private TestOutputTopic<String, byte[]> mismatches;

  @BeforeEach
  void open() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
    properties.put(
        StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
        LogAndContinueExceptionHandler.class);
    driver = new TopologyTestDriver(ShadowTopology.build(TOPICS), properties, START);
    reads =
        driver.createInputTopic(
            TOPICS.shadowReads(), new StringSerializer(), new ByteArraySerializer());
    rates =
        driver.createOutputTopic(
            TOPICS.mismatchRate(), new StringDeserializer(), new ByteArrayDeserializer());
    mismatches =
        driver.createOutputTopic(
            TOPICS.mismatches(), new StringDeserializer(), new ByteArrayDeserializer());
  }

  @AfterEach
  void close() {
    driver.close();
  }

  private static ShadowRead read(
      String source, String destination, long bound, long applied, boolean settled) {
    return new ShadowRead(
        new ShardId("a"),
        new ShardId("c"),
        new TableId("public", "orders"),
        "id=17, tenant_id=4",
        1,
        source,
        destination,
        bound,
        applied,
        settled,
        true,
        400,
        900);
  }

  private void send(ShadowRead read, Duration after) {
    reads.pipeInput(read.group(), read.encode(), START.plus(after));
  }

  private void send(ShadowRead read) {
    send(read, Duration.ofSeconds(1));
  }

  private static JsonNode json(byte[] bytes) {
    try {
      return new ObjectMapper().readTree(bytes);
    } catch (IOException e) {
      throw new AssertionError(new String(bytes, StandardCharsets.UTF_8), e);
    }
  }

  private JsonNode onlyRate() {
    driver.advanceWallClockTime(RateProcessor.EMIT_EVERY);
    List<byte[]> values = rates.readValuesToList();
    assertEquals(1, values.size());
    return json(values.get(0));
  }

  private void assertOnly(String outcome) {
    JsonNode counts = onlyRate().get("counts");
    for (Outcome each : Outcome.values()) {
      assertEquals(
          each.word().equals(outcome) ? 1 : 0, counts.get(each.word()).asInt(), counts + "");
    }
  }

  @Test
  void equalDigestsMatchWhereverTheLaneStands() {
    send(read("d", "d", 50, 10, false));
    assertOnly("match");
  }

  @Test
  void aKeyThatIsOnNeitherSideMatches() {
    send(read(null, null, 50, 60, false));
    assertOnly("match");
  }

  @Test
  void aDifferenceBeforeTheBoundIsLag() {
    send(read("d", "e", 50, 49, true));
    assertOnly("lagging");
    assertTrue(mismatches.isEmpty());
  }

  @Test
  void positionsAreUnsigned() {
    send(read("d", "e", -1, 49, true));
    assertOnly("lagging");
  }

  @Test
  void aDifferenceThatIsNotSettledIsARace() {
    send(read("d", "e", 50, 50, false));
    assertOnly("raced");
    assertTrue(mismatches.isEmpty());
  }

  @Test
  void aSettledDifferenceIsAMismatchAndNamesTheRow() {
    send(read("d", "e", 50, 50, true));
    JsonNode mismatch = json(mismatches.readValue());
    assertEquals(1, mismatch.get("version").asInt());
    assertEquals("mismatch", mismatch.get("outcome").asText());
    assertEquals("public.orders", mismatch.get("table").asText());
    assertEquals("id=17, tenant_id=4", mismatch.get("key").asText());
    assertEquals("2026-01-01T00:00:01Z", mismatch.get("seen").asText());
    assertOnly("mismatch");
  }

  @Test
  void aRowThatOnlyTheSourceHasIsMissing() {
    send(read("d", null, 50, 50, true));
    assertOnly("missing");
  }

  @Test
  void aRowThatOnlyTheDestinationHasIsExtra() {
    send(read(null, "d", 50, 50, true));
    assertOnly("extra");
  }

  @Test
  void ratesSpeakOfTheWindowAndOfAllReads() {
    for (int i = 0; i < 99; i++) {
      send(read("d", "d", 50, 60, false));
    }
    send(read("d", "e", 50, 60, true), Duration.ofSeconds(2));
    send(read("d", "f", 50, 40, false), Duration.ofSeconds(3));
    JsonNode first = onlyRate();
    assertEquals(1, first.get("version").asInt());
    assertEquals("c", first.get("destination").asText());
    assertEquals("2026-01-01T00:00:00Z", first.get("window_start").asText());
    assertEquals("2026-01-01T00:00:10Z", first.get("window_end").asText());
    assertEquals(100, first.get("window").get("compared").asInt());
    assertEquals(0.01, first.get("window").get("rate").asDouble());
    assertEquals(0.0466, first.get("window").get("upper_bound").asDouble(), 0.0001);
    assertEquals(431, first.get("source_micros").get("p50").asInt());
    assertEquals(1_024, first.get("destination_micros").get("p99").asInt());

    send(read("d", "d", 70, 80, false), Duration.ofSeconds(11));
    JsonNode second = onlyRate();
    assertEquals("2026-01-01T00:00:10Z", second.get("window_start").asText());
    assertEquals(1, second.get("window").get("compared").asInt());
    assertEquals(101, second.get("total").get("compared").asInt());
    assertEquals(1, second.get("total").get("mismatches").asInt());
  }

  @Test
  void aWindowThatEndsIsToldInFull() {
    send(read("d", "d", 50, 60, false), Duration.ofSeconds(1));
    send(read("d", "d", 50, 60, false), Duration.ofSeconds(12));
    JsonNode ended = json(rates.readValue());
    assertEquals("2026-01-01T00:00:00Z", ended.get("window_start").asText());
    assertEquals(1, ended.get("window").get("compared").asInt());
  }

  @Test
  void readsFromBeforeTheStartAreCountedButTheirWindowsNotToldAgain() {
    send(read("d", "d", 50, 60, false), Duration.ofHours(-2));
    send(read("d", "d", 50, 60, false), Duration.ofHours(-1));
    driver.advanceWallClockTime(RateProcessor.EMIT_EVERY);
    assertTrue(rates.isEmpty());
    send(read("d", "d", 50, 60, false));
    assertEquals(3, onlyRate().get("total").get("compared").asInt());
  }

  @Test
  void aForeignRecordDoesNotStopIt() {
    reads.pipeInput("x", "no shadow read".getBytes(StandardCharsets.UTF_8), START);
    send(read("d", "d", 50, 60, false));
    assertOnly("match");
  }
}
