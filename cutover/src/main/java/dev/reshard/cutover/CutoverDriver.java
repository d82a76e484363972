package dev.reshard.cutover;

import dev.reshard.cutover.CutoverDecider.Step;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the decider's steps one after the other and times them. Confined to one thread. */
public final class CutoverDriver {
  private static final Logger log = LoggerFactory.getLogger(CutoverDriver.class);
  private static final int OPEN_TRIES = 20;

  private final CutoverSteps steps;
  private final Duration budget;
  private final LongSupplier nanoTime;
  private final Map<Step, Long> nanos = new EnumMap<>(Step.class);
  private Progress progress;
  private String reason = "";

  /**
   * A driver for one attempt.
   *
   * @param from {@link Progress#AT_OWNER}, or what {@link CutoverDecider#recovered} says
   * @param budget the longest pause: past it, before the decision, the fence is lifted
   */
  public CutoverDriver(CutoverSteps steps, Progress from, Duration budget, LongSupplier nanoTime) {
    this.steps = steps;
    this.progress = from;
    this.budget = budget;
    this.nanoTime = nanoTime;
  }

  /**
   * How an attempt ended.
   *
   * @param progress {@link Progress#MOVED} or {@link Progress#LIFTED}
   * @param reason why it was lifted; empty if it moved
   * @param millis how long each step took
   */
  public record Result(Progress progress, String reason, Map<Step, Double> millis) {}

  /**
   * Runs the attempt to its end.
   *
   * @throws Exception if a step after the decision failed for good: the unit has moved, its
   *     receiver may not be open yet, and the worker must recover it before anything else
   */
  public Result run() throws Exception {
    long fencedAt = nanoTime.getAsLong();
    while (true) {
      boolean inTime = nanoTime.getAsLong() - fencedAt < budget.toNanos();
      Step step = CutoverDecider.next(progress, inTime);
      if (step == Step.DONE) {
        return new Result(progress, reason, millis());
      }
      if (step == Step.LIFT && reason.isEmpty()) {
        reason = "the budget of %d ms was used up at %s".formatted(budget.toMillis(), progress);
      }
      long from = nanoTime.getAsLong();
      progress = take(step);
      nanos.put(step, nanoTime.getAsLong() - from);
    }
  }

  private Progress take(Step step) throws Exception {
    try {
      return switch (step) {
        case FENCE -> {
          steps.fence();
          yield Progress.FENCED;
        }
        case AWAIT_WRITERS ->
            steps.awaitWriters()
                ? Progress.QUIET
                : touched("older write transactions did not end within the budget");
        case MARK -> {
          steps.mark();
          yield Progress.MARKED;
        }
        case DRAIN ->
            steps.drain()
                ? Progress.DRAINED
                : touched("the receiver did not apply the last writes within the budget");
        case SEAL ->
            steps.seal() ? Progress.DECIDED : touched("a write came after the fence had run out");
        case LIFT -> {
          steps.lift();
          yield Progress.LIFTED;
        }
        case OPEN -> {
          persistently(steps::open);
          yield Progress.OPENED;
        }
        case RECORD -> {
          persistently(steps::record);
          yield Progress.MOVED;
        }
        case DONE -> progress;
      };
    } catch (Exception e) {
      if (step == Step.SEAL || step == Step.LIFT || step == Step.OPEN || step == Step.RECORD) {
        throw e; // whether it was decided can only be read from the owner: recovery does
      }
      log.warn("{} failed; the fence is lifted", step, e);
      return touched("%s failed: %s".formatted(step, e.getMessage()));
    }
  }

  private Progress touched(String why) {
    reason = why;
    return Progress.TOUCHED;
  }

  private interface Act {
    void run() throws Exception;
  }

  /** After the decision the way leads forward only: a step that fails is taken again. */
  private static void persistently(Act act) throws Exception {
    for (int attempt = 1; ; attempt++) {
      try {
        act.run();
        return;
      } catch (InterruptedException e) {
        throw e;
      } catch (Exception e) {
        if (attempt == OPEN_TRIES) {
          throw e;
        }
        log.warn("decided, but a step after it failed; again", e);
        Thread.sleep(Math.min(10L * attempt, 200)); // the server may be coming back
      }
    }
  }

  private Map<Step, Double> millis() {
    Map<Step, Double> millis = new EnumMap<>(Step.class);
    nanos.forEach((step, duration) -> millis.put(step, duration / 1e6));
    return millis;
  }
}
