package dev.reshard.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.spec.Rate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThrottleTest {
  private static final int ROW_BYTES = 1024;
  private static final int ROWS = 10_000;
  private static final int BLOCKS = 1_500;

  /** A row alone takes so long: free, 10 MB and 10 000 rows a second. */
  private static final long ROW_NANOS = 100_000;

  private final AtomicLong clock = new AtomicLong(7);
  private final Throttle throttle =
      new Throttle(Limits.NONE, clock::get, nanos -> clock.addAndGet(nanos));

  @ParameterizedTest
  @CsvSource({
    "5MB/s, 1.95",
    "1MB/s, 9.77",
    "100kB/s, 100",
    "100MB/s, 1",
    "2500 rows/s, 4",
    "50%, 2",
    "10%, 10",
    "100%, 1",
    "2 chunks, 1"
  })
  void aRateHolds(String rate, double seconds) throws Exception {
    throttle.set(limits(rate));
    assertEquals(seconds, copy(1), 0.03 * seconds);
  }

  @Test
  void blocksHoldFromChunkToChunk() throws Exception {
    throttle.set(limits("300 blocks/s"));
    assertEquals(45, copy(10), 1.5);
  }

  @Test
  void ofSeveralLimitsTheStrictestHoldsAndIsTold() throws Exception {
    throttle.set(
        Limits.of(
            List.of(
                new Limit(Rate.parse("50MB/s"), "file"),
                new Limit(Rate.parse("5000 rows/s"), "rows"),
                new Limit(Rate.parse("2MB/s"), "window"),
                new Limit(Rate.parse("4MB/s"), "query"))));
    assertEquals("at 2 MB/s: window", throttle.told().orElseThrow().toString());
    assertEquals(4.88, copy(1), 0.15);
    assertEquals("at 2 MB/s: window", throttle.told().orElseThrow().toString());
    throttle.set(
        Limits.of(
            List.of(
                new Limit(Rate.parse("50MB/s"), "file"),
                new Limit(Rate.parse("500 rows/s"), "rows"))));
    copy(1);
    assertEquals("at 500 rows/s: rows", throttle.told().orElseThrow().toString());
  }

  @Test
  void whatIsReadInOneGoIsWaitedForAfterwards() throws Exception {
    throttle.set(limits("1MB/s"));
    assertFalse(throttle.isFree());
    long start = clock.get();
    try (Turn turn = throttle.begin(1, () -> false).orElseThrow()) {
      turn.moved(10, 5 << 20);
    }
    assertEquals(5, (clock.get() - start) / 1e9, 0.1);
    throttle.set(limits("0MB/s"));
    assertTrue(throttle.isPaused());
    throttle.set(Limits.NONE);
    assertTrue(throttle.isFree() && !throttle.isPaused());
  }

  @Test
  void aNewRateCountsAtOnceAlsoForWhoWaits() throws Exception {
    throttle.set(limits("1kB/s"));
    long start = clock.get();
    BooleanSupplier faster =
        () -> {
          if (clock.get() - start > 20_000_000_000L) {
            throttle.set(limits("10MB/s"));
          }
          return false;
        };
    try (Turn turn = throttle.begin(1, faster).orElseThrow()) {
      moveRows(turn, ROWS);
    }
    double seconds = (clock.get() - start) / 1e9;
    assertTrue(seconds > 20 && seconds < 23, () -> "it took " + seconds);
  }

  @Test
  void aPauseKeepsChunksFromBeginningAndLetsTheOneUnderWayEnd() throws Exception {
    throttle.set(limits("1MB/s"));
    Turn turn = throttle.begin(1, ThrottleTest::goOn).orElseThrow();
    throttle.set(Limits.of(List.of(new Limit(Rate.parse("0MB/s"), "window at noon"))));
    assertEquals("paused: window at noon", throttle.told().orElseThrow().toString());
    long start = clock.get();
    moveRows(turn, ROWS);
    turn.close();
    assertTrue(clock.get() - start < 20_000_000_000L);
    AtomicLong looks = new AtomicLong();
    assertEquals(Optional.empty(), throttle.begin(1, () -> looks.incrementAndGet() > 50));
    throttle.set(Limits.NONE);
    assertTrue(throttle.begin(1, ThrottleTest::goOn).isPresent());
  }

  @Test
  void soManyChunksRunAtATime() throws Exception {
    throttle.set(limits("2 chunks"));
    Turn one = throttle.begin(1, ThrottleTest::goOn).orElseThrow();
    Turn two = throttle.begin(1, ThrottleTest::goOn).orElseThrow();
    AtomicLong looks = new AtomicLong();
    BooleanSupplier patience = () -> looks.incrementAndGet() % 50 == 0;
    assertEquals(Optional.empty(), throttle.begin(1, patience));
    assertEquals("at 2 chunks at a time: because", throttle.told().orElseThrow().toString());
    one.close();
    Turn three = throttle.begin(1, patience).orElseThrow();
    assertTrue(throttle.isBusy());
    two.close();
    three.close();
    assertFalse(throttle.isBusy());
  }

  @Test
  void onceStoppedNothingWaits() throws Exception {
    throttle.set(limits("1kB/s"));
    long start = clock.get();
    try (Turn turn = throttle.begin(1, () -> clock.get() - start > 1_000_000_000L).orElseThrow()) {
      moveRows(turn, ROWS);
    }
    assertEquals(2, (clock.get() - start) / 1e9, 0.3);
  }

  @Test
  void withoutALimitNobodyWaitsAndNothingIsTold() throws Exception {
    assertEquals(1, copy(1), 0.001);
    assertEquals(Optional.empty(), throttle.told());
    assertEquals((long) ROWS * ROW_BYTES, throttle.movedBytes());
  }

  /** What was not used earlier does not make a flood later. */
  @Test
  void aRestIsNotMadeUpFor() throws Exception {
    throttle.set(limits("1MB/s"));
    clock.addAndGet(3_600_000_000_000L);
    assertEquals(9.77, copy(1), 0.3);
  }

  private static Limits limits(String... rates) {
    return Limits.of(
        Arrays.stream(rates).map(rate -> new Limit(Rate.parse(rate), "because")).toList());
  }

  /** Seconds for as many chunks. */
  private double copy(int chunks) throws InterruptedException {
    long start = clock.get();
    for (int i = 0; i < chunks; i++) {
      try (Turn turn = throttle.begin(BLOCKS, ThrottleTest::goOn).orElseThrow()) {
        moveRows(turn, ROWS / chunks);
      }
    }
    return (clock.get() - start) / 1e9;
  }

  private void moveRows(Turn turn, int rows) {
    for (int i = 0; i < rows; i++) {
      clock.addAndGet(ROW_NANOS);
      turn.moved(ROW_BYTES);
    }
  }

  /** Nobody stops it. */
  private static boolean goOn() {
    return false;
  }
}
