package dev.reshard.cutover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.cutover.CutoverDecider.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CutoverDriverTest {
  private static final Duration BUDGET = Duration.ofMillis(100);

  private final InMemorySteps steps = new InMemorySteps();

  @Test
  void takesAllStepsInOrderAndTimesEach() throws Exception {
    CutoverDriver.Result result = run(Progress.AT_OWNER);
    assertEquals(Progress.MOVED, result.progress());
    assertEquals("", result.reason());
    List<Step> all =
        List.of(
            Step.FENCE,
            Step.AWAIT_WRITERS,
            Step.MARK,
            Step.DRAIN,
            Step.SEAL,
            Step.OPEN,
            Step.RECORD);
    assertEquals(all, steps.taken);
    assertEquals(all, List.copyOf(result.millis().keySet()));
    assertEquals(1.0, result.millis().get(Step.SEAL));
  }

  @ParameterizedTest
  @EnumSource(names = {"FENCE", "AWAIT_WRITERS", "MARK", "DRAIN"})
  void isLiftedWhenTheBudgetIsUsedUp(Step slow) throws Exception {
    steps.millis.put(slow, BUDGET.toMillis());
    CutoverDriver.Result result = run(Progress.AT_OWNER);
    assertLifted(slow, result);
    assertEquals(0, result.reason().indexOf("the budget of 100 ms was used up at "));
  }

  @ParameterizedTest
  @EnumSource(names = {"SEAL", "OPEN", "RECORD"})
  void goesForwardAfterTheDecisionHoweverLongItTakes(Step slow) throws Exception {
    steps.millis.put(slow, BUDGET.toMillis() * 10);
    assertEquals(Progress.MOVED, run(Progress.AT_OWNER).progress());
  }

  @ParameterizedTest
  @EnumSource(names = {"AWAIT_WRITERS", "DRAIN", "SEAL"})
  void isLiftedWithItsReasonWhenAStepSaysNo(Step refusing) throws Exception {
    steps.sayNo.add(refusing);
    CutoverDriver.Result result = run(Progress.AT_OWNER);
    assertLifted(refusing, result);
    assertEquals(
        switch (refusing) {
          case AWAIT_WRITERS -> "older write transactions did not end within the budget";
          case DRAIN -> "the receiver did not apply the last writes within the budget";
          default -> "a write came after the fence had run out";
        },
        result.reason());
  }

  @ParameterizedTest
  @EnumSource(names = {"FENCE", "AWAIT_WRITERS", "MARK", "DRAIN"})
  void isLiftedWhenAStepFailsBeforeTheDecision(Step failing) throws Exception {
    steps.failures.put(failing, 1);
    CutoverDriver.Result result = run(Progress.AT_OWNER);
    assertLifted(failing, result);
    assertEquals(failing + " failed: as told", result.reason());
  }

  @Test
  void neitherLiftsNorOpensWhenNobodyKnowsWhetherItWasDecided() {
    steps.failures.put(Step.SEAL, 1);
    assertThrows(IllegalStateException.class, () -> run(Progress.AT_OWNER));
    assertEquals(Step.SEAL, steps.last());
  }

  @Test
  void saysSoWhenItCannotLift() {
    steps.failures.put(Step.LIFT, 1);
    assertThrows(IllegalStateException.class, () -> run(Progress.TOUCHED));
    assertEquals(List.of(Step.LIFT), steps.taken);
  }

  @ParameterizedTest
  @EnumSource(names = {"OPEN", "RECORD"})
  void takesAStepAgainThatFailsAfterTheDecision(Step failing) throws Exception {
    steps.failures.put(failing, 1);
    assertEquals(Progress.MOVED, run(Progress.AT_OWNER).progress());
    assertEquals(2, steps.taken.stream().filter(step -> step == failing).count());
  }

  @Test
  void neverLiftsWhatIsDecidedThoughItWasStopped() {
    steps.interrupted = new InterruptedException("as told");
    assertSame(
        steps.interrupted, assertThrows(InterruptedException.class, () -> run(Progress.AT_OWNER)));
    assertEquals(Step.OPEN, steps.last());
  }

  @Test
  void recoversForwardOrBack() throws Exception {
    assertEquals(Progress.MOVED, run(CutoverDecider.recovered(true)).progress());
    assertEquals(List.of(Step.OPEN, Step.RECORD), steps.taken);
    steps.taken.clear();
    assertEquals(Progress.LIFTED, run(CutoverDecider.recovered(false)).progress());
    assertEquals(List.of(Step.LIFT), steps.taken);
  }

  private CutoverDriver.Result run(Progress from) throws Exception {
    return new CutoverDriver(steps, from, BUDGET, () -> steps.nanos).run();
  }

  private void assertLifted(Step last, CutoverDriver.Result result) {
    assertEquals(Progress.LIFTED, result.progress());
    assertEquals(
        List.of(last, Step.LIFT), steps.taken.subList(steps.taken.size() - 2, steps.taken.size()));
  }

  /** Notes what is taken; every step takes a millisecond, succeeds and says yes unless told. */
  private static final class InMemorySteps implements CutoverSteps {
    final List<Step> taken = new ArrayList<>();
    final Map<Step, Long> millis = new EnumMap<>(Step.class);
    final Map<Step, Integer> failures = new EnumMap<>(Step.class);
    final Set<Step> sayNo = EnumSet.noneOf(Step.class);
    InterruptedException interrupted;
    long nanos;

    Step last() {
      return taken.get(taken.size() - 1);
    }

    private boolean take(Step step) {
      taken.add(step);
      nanos += Duration.ofMillis(millis.getOrDefault(step, 1L)).toNanos();
      if (failures.merge(step, -1, Integer::sum) >= 0) {
        throw new IllegalStateException("as told");
      }
      return !sayNo.contains(step);
    }

    @Override
    public void fence() {
      take(Step.FENCE);
    }

    @Override
    public boolean awaitWriters() {
      return take(Step.AWAIT_WRITERS);
    }

    @Override
    public void mark() {
      take(Step.MARK);
    }

    @Override
    public boolean drain() {
      return take(Step.DRAIN);
    }

    @Override
    public boolean seal() {
      return take(Step.SEAL);
    }

    @Override
    public void lift() {
      take(Step.LIFT);
    }

    @Override
    public void open() throws InterruptedException {
      take(Step.OPEN);
      if (interrupted != null) {
        throw interrupted;
      }
    }

    @Override
    public void record() {
      take(Step.RECORD);
    }
  }
}
