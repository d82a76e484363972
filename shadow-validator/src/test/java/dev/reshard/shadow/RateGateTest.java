package dev.reshard.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.migration.Gate.Verdict;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RateGateTest {
  private static final double LIMIT = 0.00001;

  private static Verdict after(int matches, int mismatches, double limit) {
    Counts counts = Counts.NONE;
    for (int i = 0; i < matches; i++) {
      counts = counts.plus(Outcome.MATCH);
    }
    for (int i = 0; i < mismatches; i++) {
      counts = counts.plus(Outcome.MISMATCH);
    }
    return RateGate.verdict(Optional.of(counts), 300, limit);
  }

  @Test
  void opensAfterEnoughReadsWithoutADifferenceAndShowsTheBound() {
    assertFalse(after(299, 0, LIMIT).open());
    Verdict verdict = after(300, 0, LIMIT);
    assertTrue(verdict.open());
    assertEquals("0 of 300 differ, at most 0.99 % with 95 % confidence", verdict.value());
    assertEquals(
        "no difference in 300 reads, or at most 0.001 % with 95 % confidence", verdict.limit());
  }

  @Test
  void oneDifferenceShutsItUntilReadsOutweighIt() {
    assertFalse(after(100_000, 1, LIMIT).open());
    assertTrue(after(100_000, 1, 0.0001).open());
  }

  @Test
  void fewRowsNeedFewReadsAndNoneNeedNone() {
    assertTrue(RateGate.verdict(Optional.of(Counts.NONE), 0, LIMIT).open());
    assertFalse(RateGate.verdict(Optional.of(Counts.NONE), 1, LIMIT).open());
    Counts differs = Counts.NONE.plus(Outcome.MISMATCH);
    assertFalse(RateGate.verdict(Optional.of(differs), 0, LIMIT).open());
  }

  @Test
  void isShutWhileReadsOfEarlierWorkersAreNotCounted() {
    assertFalse(RateGate.verdict(Optional.empty(), 300, LIMIT).open());
  }

  @Test
  void lagIsNoAnswerEitherWay() {
    Counts counts = Counts.NONE;
    for (int i = 0; i < 1_000; i++) {
      counts = counts.plus(i % 2 == 0 ? Outcome.LAGGING : Outcome.RACED);
    }
    assertFalse(RateGate.verdict(Optional.of(counts), 300, LIMIT).open());
    assertEquals(0, counts.differences());
  }
}
