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
}
