package dev.reshard.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.ShardId;
import java.sql.SQLException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RefusalTest {
  @Test
  void readsWhereABucketWent() {
    assertEquals(
        Optional.of(new Refusal.Moved(17, new ShardId("c"), 2)),
        Refusal.parse("{\"state\":\"MOVED\",\"bucket\":17,\"owner\":\"c\",\"epoch\":2}"));
  }

  @Test
  void whatIsNotAMoveIsWaitedFor() {
    assertEquals(
        Optional.empty(),
        Refusal.parse("{\"state\":\"WAIT\",\"bucket\":17,\"owner\":\"c\",\"epoch\":2}"));
    assertEquals(Optional.empty(), Refusal.parse("{\"state\":\"MOVED\",\"bucket\":17}"));
    assertEquals(
        Optional.empty(),
        Refusal.parse("{\"state\":\"MOVED\",\"bucket\":null,\"owner\":null,\"epoch\":2}"));
    assertEquals(
        Optional.empty(),
        Refusal.parse("{\"state\":\"MOVED\",\"bucket\":1,\"owner\":\"No shard\",\"epoch\":2}"));
    assertEquals(Optional.empty(), Refusal.parse("not json"));
    assertEquals(Optional.empty(), Refusal.parse(""));
  }

  @Test
  void isFoundBehindWrappersAndInCircles() {
    SQLException refused = new SQLException("refused", "RS001");
    assertEquals(
        Optional.of(new Refusal(Optional.empty())),
        Refusal.in(new IllegalStateException(new RuntimeException(refused))));
    SQLException batch = new SQLException("batch", "22000");
    batch.setNextException(refused);
    refused.initCause(batch);
    assertEquals(Optional.of(new Refusal(Optional.empty())), Refusal.in(batch));
  }

  @Test
  void otherFailuresAreNone() {
    assertEquals(Optional.empty(), Refusal.in(new SQLException("deadlock", "40P01")));
    assertEquals(Optional.empty(), Refusal.in(new SQLException("no state")));
  }
}
