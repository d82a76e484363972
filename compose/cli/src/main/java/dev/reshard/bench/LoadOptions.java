package dev.reshard.bench;

import java.util.Optional;
import picocli.CommandLine.Option;

/** How many single-row updates clients make. Set by the command line, then read only. */
final class LoadOptions {
  private static final int FEWEST_TPS = 4;

  @Option(
      names = "--tps",
      defaultValue = "500",
      description = "updates a second (${DEFAULT-VALUE})")
  private int tps;

  int tps() {
    return tps;
  }

  /**
   * What is wrong with them; empty if nothing is.
   *
   * @param seconds how long clients are to write
   */
  Optional<String> problem(int seconds) {
    return tps < FEWEST_TPS || seconds < 1
        ? Optional.of("--tps must be at least %d and --seconds at least 1".formatted(FEWEST_TPS))
        : Optional.empty();
  }
}
