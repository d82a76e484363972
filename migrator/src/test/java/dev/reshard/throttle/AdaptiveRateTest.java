package dev.reshard.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdaptiveRateTest {
  private static final double MB = 1 << 20;
  private static final double LIMIT_MS = 20;

  /** A server whose commits take longer the busier it is; free, a copy makes it wholly busy. */
  private static final class Server {
    private static final double IDLE_MS = 2;
    private final Random random;
    private final double capacity = 100 * MB;
    private double applications = 20 * MB;
    private double copied;

    Server(long seed) {
      random = new Random(seed);
    }

    double moved(OptionalDouble allowed) {
      copied = Math.min(allowed.orElse(Double.MAX_VALUE), capacity * 0.99 - applications);
      return copied;
    }

    /** As seen at the 90th percentile, with noise. */
    double latencyMs() {
      double free = 1 - (copied + applications) / capacity;
      return IDLE_MS / free * (0.97 + 0.06 * random.nextDouble());
    }

    /** At which the latency is at the limit. */
    double idealCopy() {
      return capacity * (1 - IDLE_MS / LIMIT_MS) - applications;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void itSettlesNearTheLimitAndDoesNotSwing(long seed) {
    Server server = new Server(seed);
    AdaptiveRate adaptive = new AdaptiveRate(LIMIT_MS);
    List<Double> rates = run(server, adaptive, OptionalDouble.empty(), 60);
    List<Double> settled = rates.subList(30, 60);
    requireCalm(server, settled);
  }

  @Test
  void itYieldsToApplicationsThatNeedMoreAndComesBack() {
    Server server = new Server(1);
    AdaptiveRate adaptive = new AdaptiveRate(LIMIT_MS);
    List<Double> rates = run(server, adaptive, OptionalDouble.empty(), 60);
    double before = rates.get(59);
    server.applications = 60 * MB;
    rates = run(server, adaptive, OptionalDouble.of(before), 60);
    assertTrue(rates.get(5) < before * 0.7, rates::toString);
    requireCalm(server, rates.subList(30, 60));
    server.applications = 20 * MB;
    rates = run(server, adaptive, OptionalDouble.of(rates.get(59)), 60);
    requireCalm(server, rates.subList(30, 60));
  }

  @Test
  void aQuietSourceIsCopiedFreely() {
    AdaptiveRate adaptive = new AdaptiveRate(LIMIT_MS);
    for (int i = 0; i < 10; i++) {
      assertEquals(OptionalDouble.empty(), adaptive.decide(3, 500 * MB));
    }
  }

  @Test
  void itNeverStandsStill() {
    AdaptiveRate adaptive = new AdaptiveRate(LIMIT_MS);
    for (int i = 0; i < 100; i++) {
      assertTrue(adaptive.decide(500, 10 * MB).orElseThrow() >= AdaptiveRate.FLOOR);
    }
  }

  @Test
  void aLimitThatNobodyReachesDoesNotGrow() {
    AdaptiveRate adaptive = new AdaptiveRate(LIMIT_MS);
    double limit = adaptive.decide(30, 10 * MB).orElseThrow();
    for (int i = 0; i < 10; i++) {
      assertEquals(limit, adaptive.decide(3, MB).orElseThrow());
    }
  }

  private static List<Double> run(
      Server server, AdaptiveRate adaptive, OptionalDouble first, int decisions) {
    List<Double> rates = new ArrayList<>();
    OptionalDouble allowed = first;
    for (int i = 0; i < decisions; i++) {
      double moved = server.moved(allowed);
      allowed = adaptive.decide(server.latencyMs(), moved);
      rates.add(server.moved(allowed));
    }
    return rates;
  }

  /** Within a tenth of what it found, which is near what the server could bear. */
  private static void requireCalm(Server server, List<Double> rates) {
    double most = rates.stream().mapToDouble(d -> d).max().orElseThrow();
    double least = rates.stream().mapToDouble(d -> d).min().orElseThrow();
    String told = "from %.1f to %.1f MB/s".formatted(least / MB, most / MB);
    assertTrue(most <= least * 1.1, told);
    assertTrue(least > 0.8 * server.idealCopy() && most < 1.05 * server.idealCopy(), told);
  }
}
