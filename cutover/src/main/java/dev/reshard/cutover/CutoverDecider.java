package dev.reshard.cutover;

/**
 * What to do next in an attempt. Pure: no clock, no I/O, so that a simulation can run it through
 * any interleaving. Stateless.
 */
public final class CutoverDecider {

  /** A step of {@link CutoverSteps}, or the end. */
  public enum Step {
    FENCE,
    AWAIT_WRITERS,
    MARK,
    DRAIN,
    SEAL,
    LIFT,
    OPEN,
    RECORD,
    DONE
  }

  private CutoverDecider() {}

  /**
   * The next step.
   *
   * @param inTime whether the pause's budget is not used up; it counts until the decision only,
   *     after which the way leads forward however long it takes
   */
  public static Step next(Progress progress, boolean inTime) {
    return switch (progress) {
      case AT_OWNER -> Step.FENCE;
      case FENCED -> inTime ? Step.AWAIT_WRITERS : Step.LIFT;
      case QUIET -> inTime ? Step.MARK : Step.LIFT;
      case MARKED -> inTime ? Step.DRAIN : Step.LIFT;
      case DRAINED -> inTime ? Step.SEAL : Step.LIFT;
      case TOUCHED -> Step.LIFT;
      case DECIDED -> Step.OPEN;
      case OPENED -> Step.RECORD;
      case MOVED, LIFTED -> Step.DONE;
    };
  }

  /**
   * Where an attempt stands that a dead worker left behind. The owner's seal is the only truth
   * (HAZARDS F17): not what the control database says, not how long ago the fence was set.
   */
  public static Progress recovered(boolean sealed) {
    return sealed ? Progress.DECIDED : Progress.TOUCHED;
  }
}
