package dev.reshard.cutover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.cutover.CutoverDecider.Step;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CutoverDeciderTest {
  private static final Set<Progress> UNDECIDED =
      EnumSet.of(Progress.FENCED, Progress.QUIET, Progress.MARKED, Progress.DRAINED);

  private static final Map<Progress, Step> IN_TIME =
      new EnumMap<>(
          Map.of(
              Progress.AT_OWNER, Step.FENCE,
              Progress.FENCED, Step.AWAIT_WRITERS,
              Progress.QUIET, Step.MARK,
              Progress.MARKED, Step.DRAIN,
              Progress.DRAINED, Step.SEAL,
              Progress.TOUCHED, Step.LIFT,
              Progress.DECIDED, Step.OPEN,
              Progress.OPENED, Step.RECORD,
              Progress.MOVED, Step.DONE,
              Progress.LIFTED, Step.DONE));

  @ParameterizedTest
  @EnumSource
  void stepsFollowInOneOrder(Progress progress) {
    assertEquals(IN_TIME.get(progress), CutoverDecider.next(progress, true));
  }

  @ParameterizedTest
  @EnumSource
  void theBudgetEndsAnAttemptOnlyBetweenFenceAndDecision(Progress progress) {
    assertEquals(
        UNDECIDED.contains(progress) ? Step.LIFT : IN_TIME.get(progress),
        CutoverDecider.next(progress, false));
  }

  @Test
  void onlyTheSealLeadsForwardAfterACrash() {
    assertEquals(Step.OPEN, CutoverDecider.next(CutoverDecider.recovered(true), false));
    assertEquals(Step.LIFT, CutoverDecider.next(CutoverDecider.recovered(false), true));
  }
}
