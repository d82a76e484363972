package dev.reshard.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TimesTest {
  @Test
  void aPercentileIsATimeThatWasMeasured() {
    List<Long> nanos = LongStream.rangeClosed(1, 200).boxed().toList();
    assertEquals(Duration.ofNanos(100), Times.percentile(nanos, 50));
    assertEquals(Duration.ofNanos(198), Times.percentile(nanos, 99));
    assertEquals(Duration.ofNanos(200), Times.percentile(nanos, 100));
    assertEquals(Duration.ofNanos(7), Times.percentile(List.of(7L), 1));
  }

  @Test
  void theMedianIsTheMiddleOrTheMeanOfTwo() {
    assertEquals(Duration.ofNanos(2), Times.median(nanos(9, 1, 2)));
    assertEquals(Duration.ofNanos(3), Times.median(nanos(9, 1, 2, 4)));
    assertEquals(Duration.ofNanos(-1), Times.median(nanos(-1)));
  }

  @Test
  void ofNothingThereIsNeither() {
    assertThrows(IllegalArgumentException.class, () -> Times.percentile(List.of(), 50));
    assertThrows(IllegalArgumentException.class, () -> Times.median(List.of()));
  }

  @Test
  void aResultIsOneLineOfJson() {
    assertEquals(
        "{\"what\":\"copy\",\"rows\":3000,\"seconds\":1.5,\"rows_per_second\":2000,\"p50_ms\":2.35}",
        new BenchResult("copy", 3000, Duration.ofMillis(1500))
            .withMs("p50_ms", Duration.ofNanos(2_345_678))
            .json());
  }

  private static List<Duration> nanos(long... nanos) {
    return LongStream.of(nanos).mapToObj(Duration::ofNanos).toList();
  }
}
