package dev.reshard.demo;

import java.util.List;

/**
 * What became of all that clients were told is committed. Immutable.
 *
 * @param acknowledged transactions
 * @param rows that were looked for: those of the transactions, and all that was loaded
 * @param lost rows that no shard has
 * @param doubled rows that are there more than once, on one shard or on several
 * @param stale rows that say what they said before a later transaction, or were deleted
 * @param unknown transactions whose answer was lost: each is wholly there or wholly absent, or its
 *     rows count as differing
 * @param differing rows that say what no transaction left there
 * @param extra rows that nobody wrote, or whose transaction failed
 * @param examples some of them, by key
 */
public record CheckReport(
    long acknowledged,
    long rows,
    long lost,
    long doubled,
    long stale,
    long unknown,
    long differing,
    long extra,
    List<String> examples) {
  public CheckReport {
    examples = List.copyOf(examples);
  }

  public boolean isClean() {
    return lost + doubled + stale + differing + extra == 0;
  }
}
