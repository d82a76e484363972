package dev.reshard.topics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ShadowReadTest {
  private static ShadowRead read(String sourceDigest, long bound) {
    return new ShadowRead(
        new ShardId("a"),
        new ShardId("c"),
        new TableId("public", "orders"),
        "id=17, tenant_id=4",
        2,
        sourceDigest,
        "d1",
        bound,
        7,
        true,
        false,
        1_200,
        900);
  }

  @Test
  void isReadAsItWasWritten() {
    for (ShadowRead read : new ShadowRead[] {read("d0", -1), read(null, 42)}) {
      assertEquals(read, ShadowRead.decode(read.encode()));
    }
  }

  @Test
  void refusesWhatIsNoShadowRead() {
    byte[] foreign = "{\"not\": \"avro\"}".getBytes(StandardCharsets.UTF_8);
    assertThrows(IllegalArgumentException.class, () -> ShadowRead.decode(foreign));
    byte[] cut = new byte[12];
    System.arraycopy(read("d0", 1).encode(), 0, cut, 0, cut.length);
    assertThrows(IllegalArgumentException.class, () -> ShadowRead.decode(cut));
  }

  @Test
  void ratesAreJsonWithAVersion() throws IOException {
    MismatchRate rate =
        new MismatchRate(
            MismatchRate.VERSION,
            "public.orders",
            "c",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:10Z",
            Map.of("match", 99L, "mismatch", 1L),
            new MismatchRate.Rate(100, 1, 0.01, 0.0466),
            new MismatchRate.Rate(200, 1, 0.005, 0.0235),
            new MismatchRate.Latency(400, 2_000),
            new MismatchRate.Latency(500, 3_000));
    JsonNode json = new ObjectMapper().readTree(rate.toJson());
    assertEquals(1, json.get("version").asInt());
    assertEquals("2026-01-01T00:00:10Z", json.get("window_end").asText());
    assertEquals(99, json.get("counts").get("match").asInt());
    assertEquals(0.0235, json.get("total").get("upper_bound").asDouble());
    assertEquals(3_000, json.get("destination_micros").get("p99").asInt());
  }
}
