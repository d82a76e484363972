package dev.reshard.guard;

import java.time.Duration;

/**
 * How politely a table's lock is asked for. Immutable.
 *
 * @param stall the longest that one try may wait for the lock, during which the application's
 *     writers of that table queue behind it; cut to less than half of {@code deadlock_timeout}, so
 *     that we give up before the server ends anybody's transaction
 * @param total after which no further try is made
 */
public record Patience(Duration stall, Duration total) {
  /** Tries of 50 ms for a minute. */
  public static final Patience POLITE = new Patience(Duration.ofMillis(50), Duration.ofMinutes(1));
}
