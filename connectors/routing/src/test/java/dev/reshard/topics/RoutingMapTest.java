package dev.reshard.topics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RoutingMapTest {
  /** What a broker takes unless it is told otherwise. */
  private static final int BROKERS_LIMIT = 1_048_588;

  @Test
  void eachBucketsOwnerIsFoundByTwoLookUps() throws Exception {
    JsonNode json = new ObjectMapper().readTree(RoutingMap.of("shop", "x", map(8, 3)).toJson());
    assertEquals(7, json.path("epoch").asLong());
    assertEquals(1, json.path("version").asInt());
    for (int bucket = 0; bucket < 8; bucket++) {
      String owner = json.path("shards").get(json.path("owner").get(bucket).asInt()).asText();
      assertEquals("s" + bucket % 3, owner);
    }
  }

  @Test
  void theLargestMapCutTheWorstWayFitsIntoOneRecord() {
    ShardMap map = map(HashBuckets.MAX_COUNT, 1_000);
    assertTrue(RoutingMap.of("shop", "x", map).toJson().length < BROKERS_LIMIT / 2);
  }

  private static ShardMap map(int buckets, int shards) {
    return new ShardMap(
        7, IntStream.range(0, buckets).mapToObj(b -> new ShardId("s" + b % shards)).toList());
  }
}
