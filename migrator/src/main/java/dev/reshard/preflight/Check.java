package dev.reshard.preflight;

import java.util.List;

/** One thing to look at; changes nothing. */
public interface Check {
  /** What is looked at, and where: {@code "a: wal_level"}. */
  String name();

  /**
   * Looks.
   *
   * @return nothing if all is well
   * @throws Exception if it could not look; that is a blocker too
   */
  List<Finding> look() throws Exception;
}
