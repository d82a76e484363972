package dev.reshard.preflight;

import java.util.List;

/** One thing to look at, on all shards that it concerns; changes nothing. */
public interface Check {
  /** What is looked at, in a word or two: {@code "shard key"}. */
  String name();

  /**
   * Looks.
   *
   * @return nothing if all is well
   * @throws Exception if it could not look; that is a blocker too
   */
  List<Finding> look() throws Exception;

  /** How much of what it is about it can look at; a check that finds nothing is clean if all. */
  default Reach reach() {
    return Reach.ALL;
  }

  /** Of the shards that a check is about. */
  enum Reach {
    /** All of them can be asked. */
    ALL,
    /** Some can be asked. */
    SOME,
    /** None can, so that nothing is known. */
    NONE
  }
}
