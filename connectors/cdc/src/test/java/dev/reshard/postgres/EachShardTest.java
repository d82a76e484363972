package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.ShardId;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EachShardTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardId C = new ShardId("c");

  private final Set<ShardId> done = new ConcurrentSkipListSet<>();

  @Test
  void allGoOnAtTheSameTime() throws Exception {
    CountDownLatch together = new CountDownLatch(3);
    EachShard.run(
        "test",
        List.of(A, B, C),
        shard -> {
          together.countDown();
          together.await();
          done.add(shard);
        });
    assertEquals(Set.of(A, B, C), done);
    EachShard.run("nobody", List.of(), shard -> done.clear());
    assertEquals(Set.of(A, B, C), done);
  }

  @Test
  void theOthersEndTheirWorkWhenOneFailsAndAllFailuresAreTold() {
    SQLException told =
        assertThrows(
            SQLException.class,
            () ->
                EachShard.run(
                    "test",
                    List.of(A, B, C),
                    shard -> {
                      if (shard.equals(B)) {
                        done.add(shard);
                      } else {
                        throw new SQLException("of " + shard);
                      }
                    }));
    assertEquals("of a", told.getMessage());
    assertEquals("of c", told.getSuppressed()[0].getMessage());
    assertEquals(Set.of(B), done);
  }

  @Test
  void anInterruptEndsAllAndNoneIsLeft() {
    Thread caller = Thread.currentThread();
    CountDownLatch together = new CountDownLatch(2);
    assertThrows(
        InterruptedException.class,
        () ->
            EachShard.run(
                "test",
                List.of(A, B),
                shard -> {
                  together.countDown();
                  together.await();
                  if (shard.equals(A)) {
                    caller.interrupt();
                  }
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    done.add(shard);
                  }
                }));
    assertEquals(Set.of(A, B), done);
  }
}
