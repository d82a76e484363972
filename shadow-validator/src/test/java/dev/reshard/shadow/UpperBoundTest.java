package dev.reshard.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class UpperBoundTest {
  @Test
  void withoutHitsItIsTheRuleOfThree() {
    assertEquals(1, UpperBound.of(0, 0));
    assertEquals(0.0099, UpperBound.of(0, 300), 0.0001);
    assertEquals(3.0 / 1_000_000, UpperBound.of(0, 1_000_000), 1e-8);
  }

  /** Quantiles of the beta distribution (hits + 1, trials - hits) at 0.95, from tables. */
  @Test
  void withHitsItIsClopperAndPearsons() {
    assertEquals(0.39416, UpperBound.of(1, 10), 1e-4);
    assertEquals(0.04656, UpperBound.of(1, 100), 1e-4);
    assertEquals(0.10225, UpperBound.of(5, 100), 1e-4);
    assertEquals(1, UpperBound.of(7, 7));
  }

  @Test
  void growsWithHitsAndFallsWithTrialsAlsoWhereTheFormulaChanges() {
    for (long hits = 990; hits < 1_010; hits++) {
      assertTrue(UpperBound.of(hits, 1_000_000) < UpperBound.of(hits + 1, 1_000_000));
      assertTrue(UpperBound.of(hits, 1_000_000) > UpperBound.of(hits, 1_001_000));
    }
  }

  @Test
  void refusesMoreHitsThanTrials() {
    assertThrows(IllegalArgumentException.class, () -> UpperBound.of(2, 1));
  }
}
