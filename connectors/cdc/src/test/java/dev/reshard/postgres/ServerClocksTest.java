package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.ShardId;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerClocksTest {
  private static final ShardId A = new ShardId("a");

  /** Asked at 1000, answered at 1100. */
  @ParameterizedTest
  @CsvSource({"1050, 0", "1000, 0", "1100, 0", "61100, 60000", "-59000, -60000", "3100, 2000"})
  void onlyWhatIsProvenCounts(long there, long aheadMillis) {
    ServerClocks clocks = new ServerClocks();
    clocks.answered(A, 1000, there, 1100);
    long seconds = Duration.between(Instant.now(), clocks.now(A)).plusMillis(500).toSeconds();
    assertEquals(Math.floorDiv(aheadMillis + 500, 1000), seconds);
  }
}
