package dev.reshard.guard;

import java.time.Instant;

/**
 * What a shard knows of one unit, read without its lock: a call in flight may change it. Immutable.
 *
 * @param attempt the highest seen on this shard; lower ones are void there
 * @param fencedAttempt the last that fenced here; where the guard is closed, the one that sealed it
 *     (0: it was armed closed and has not been open yet)
 * @param touched whether an application's write got through after the last fence ran out
 * @param epoch that the guard says to whom it refuses
 */
public record GuardState(
    Kind kind, long attempt, long fencedAttempt, Instant until, boolean touched, long epoch) {

  /** Whether application writes pass. */
  public enum Kind {
    /** They do: the shard owns the buckets. */
    OPEN,
    /** They do not until a moment, {@link GuardState#until}, after which they do again. */
    FENCED,
    /** They do not: the buckets left, or have not come yet. */
    CLOSED
  }
}
