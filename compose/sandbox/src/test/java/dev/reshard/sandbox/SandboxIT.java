package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class SandboxIT {
  @Test
  void startsShardsOnServersOfTheirOwnAndKafka() throws Exception {
    String kafka;
    try (Sandbox sandbox =
        Sandbox.start(Sandbox.Options.shards(2).withPostgres("work_mem", "5MB"))) {
      assertEquals(
          List.of("a", "b"), sandbox.shards().all().stream().map(SandboxShard::name).toList());
      assertEquals(List.of("5MB"), sandbox.shard("b").query("SHOW work_mem"));
      assertEquals(
          2,
          sandbox.shards().all().stream().map(shard -> shard.server().port()).distinct().count());
      kafka = sandbox.kafka().bootstrapServers();
    }
    assertFalse(kafka.isEmpty());
  }

  @Test
  void aServerThatDoesNotStartIsNamedAndNothingStaysUp() {
    SandboxException failure =
        assertThrows(
            SandboxException.class,
            () ->
                Sandbox.start(
                    Sandbox.Options.shards(1).withoutKafka().withPostgres("no_such", "1")));
    assertEquals(true, failure.getMessage().contains("no_such"), failure.getMessage());
  }
}
