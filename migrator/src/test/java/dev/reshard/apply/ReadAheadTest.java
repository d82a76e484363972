package dev.reshard.apply;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.Transaction;
import dev.reshard.postgres.Lsn;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReadAheadTest {
  private static final int BATCH_BYTES = 100;
  private static final Duration LONG = Duration.ofSeconds(20);

  private final BlockingQueue<Runnable> topic = new LinkedBlockingQueue<>();
  private final AtomicInteger polls = new AtomicInteger();
  private final List<Transaction> given = new ArrayList<>();
  private volatile boolean closed;
  private final ReadAhead ahead =
      new ReadAhead(
          new ChangeSource() {
            @Override
            public List<Transaction> poll(Duration timeout) {
              polls.incrementAndGet();
              given.clear();
              try {
                Runnable next = topic.poll(50, TimeUnit.MILLISECONDS);
                if (next != null) {
                  next.run();
                }
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return List.copyOf(given);
            }

            @Override
            public void close() {
              closed = true;
            }
          },
          LaneLimits.DEFAULT.withBatchBytes(BATCH_BYTES));

  @AfterEach
  void close() {
    ahead.close();
    assertTrue(closed);
  }

  private void commit(long end, long bytes) {
    topic.add(
        () ->
            given.add(
                new Transaction(
                    1,
                    HandMade.SERVER,
                    new Lsn(end),
                    new Lsn(end - 1),
                    Instant.EPOCH,
                    List.of(),
                    List.of(),
                    end,
                    bytes)));
  }

  private List<Long> take(int count) {
    List<Long> ends = new ArrayList<>();
    while (ends.size() < count) {
      ahead.poll(LONG).forEach(transaction -> ends.add(transaction.end().value()));
    }
    return ends;
  }

  @Test
  void whatWasReadComesInItsOrder() {
    for (int i = 1; i <= 20; i++) {
      commit(i, 1);
    }
    assertEquals(LongStream.rangeClosed(1, 20).boxed().toList(), take(20));
  }

  @Test
  void noMoreThanABatchIsReadAheadUntilItIsTaken() throws Exception {
    commit(1, BATCH_BYTES);
    commit(2, BATCH_BYTES);
    while (topic.size() > 1) {
      Thread.sleep(5);
    }
    Thread.sleep(200);
    assertEquals(1, topic.size());
    assertEquals(List.of(1L, 2L), take(2));
  }

  @Test
  void aFailureIsSaidOnceAllBeforeItIsTakenAndNothingIsReadAfterIt() {
    commit(1, 1);
    topic.add(
        () -> {
          throw new IllegalStateException("the broker is away");
        });
    assertEquals(List.of(1L), take(1));
    assertThrows(IllegalStateException.class, () -> ahead.poll(LONG));
    int asked = polls.get();
    assertThrows(IllegalStateException.class, () -> ahead.poll(LONG));
    assertEquals(asked, polls.get());
  }

  @Test
  void anErrorOfTheReadersThreadIsTheLanesToo() {
    topic.add(
        () -> {
          throw new OutOfMemoryError("a row");
        });
    assertThrows(OutOfMemoryError.class, () -> ahead.poll(LONG));
  }

  @Test
  void nothingInTimeIsAnEmptyList() {
    assertEquals(List.of(), ahead.poll(Duration.ofMillis(20)));
  }
}
