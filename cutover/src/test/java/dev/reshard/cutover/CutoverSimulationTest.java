package dev.reshard.cutover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The protocol under many interleavings; what holds is in {@link Simulation}. */
class CutoverSimulationTest {
  private static final int SEEDS = 2_000;

  private final Map<String, Integer> counts = new TreeMap<>();

  @Test
  void neverTwoWritersForOneBucket() {
    for (long seed = 0; seed < SEEDS; seed++) {
      neverTwoWritersForOneBucket(seed);
    }
    for (String seen :
        List.of(
            "MOVED",
            "LIFTED",
            "TOUCHED",
            "DECIDED recovered",
            "TOUCHED recovered",
            "MOVED recovered",
            "lease lost",
            "call lost",
            "worker lost")) {
      assertTrue(
          counts.getOrDefault(seen, 0) > SEEDS / 20, () -> seen + " is too rare in " + counts);
    }
  }

  /** Call it alone with the seed that a failure names. */
  private void neverTwoWritersForOneBucket(long seed) {
    try {
      new Simulation(seed, counts).run();
    } catch (AssertionError e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    }
  }
}
