package dev.reshard.cutover;

/**
 * The steps of one attempt, each of which may be taken again after a crash. The driver does them in
 * the decider's order; a simulation has its own implementation. Confined to one thread.
 */
public interface CutoverSteps {
  /** Closes the owner's guard for the budget. */
  void fence() throws Exception;

  /**
   * Waits until every transaction that may have written before the fence is gone.
   *
   * @return false if some are left when the budget is used up
   */
  boolean awaitWriters() throws Exception;

  /** Puts the token into the owner's WAL, flushed. */
  void mark() throws Exception;

  /**
   * Waits until the receiver has applied and flushed the token.
   *
   * @return false if it has not when the budget is used up
   */
  boolean drain() throws Exception;

  /**
   * Decides.
   *
   * @return false if a write slipped in: then nothing is decided
   */
  boolean seal() throws Exception;

  /** Opens the owner's guard again, and makes this attempt's seal and open impossible. */
  void lift() throws Exception;

  /** Mutes the lane that fed the receiver, and opens the receiver's guard. */
  void open() throws Exception;

  /** Records owner and epoch in the map, and the unit's place in the control database. */
  void record() throws Exception;
}
