package dev.reshard.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DemoWaitsTest {
  @Test
  void percentilesAreTimesThatWereMeasured() {
    List<Duration> times = IntStream.rangeClosed(1, 200).mapToObj(Duration::ofMillis).toList();
    assertEquals(
        new DemoWaits(200, Duration.ofMillis(100), Duration.ofMillis(198), Duration.ofMillis(200)),
        DemoWaits.of(times));
  }

  @Test
  void oneIsAllOfThem() {
    Duration one = Duration.ofMillis(7);
    assertEquals(new DemoWaits(1, one, one, one), DemoWaits.of(List.of(one)));
  }

  @Test
  void oneIsToldInTheSingular() {
    Duration one = Duration.ofMillis(7);
    assertEquals(
        "1 client's transaction met it and waited p50 7 ms, p99 7 ms, max 7 ms; 0 requests failed",
        DemoWaits.of(List.of(one)).summary(0));
    assertEquals(
        "2 clients' transactions met it and waited p50 7 ms, p99 7 ms, max 7 ms; 1 request failed",
        DemoWaits.of(List.of(one, one)).summary(1));
    assertEquals(
        "no client's transaction met it; 0 requests failed", DemoWaits.of(List.of()).summary(0));
  }

  @Test
  void noneIsZero() {
    assertEquals(
        new DemoWaits(0, Duration.ZERO, Duration.ZERO, Duration.ZERO), DemoWaits.of(List.of()));
  }
}
