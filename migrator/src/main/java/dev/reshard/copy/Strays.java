package dev.reshard.copy;

import java.util.List;

/**
 * Rows of one table that lie on a shard to which the map does not give their bucket. Immutable.
 *
 * @param rows how many
 * @param keys the row keys of some of them, {@code column=value ..}; those seen by this run
 */
public record Strays(long rows, List<String> keys) {
  /** How many keys are kept of a table. */
  static final int KEYS = 20;

  public Strays {
    keys = List.copyOf(keys);
  }
}
