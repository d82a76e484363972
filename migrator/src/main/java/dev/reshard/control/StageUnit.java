package dev.reshard.control;

import dev.reshard.keyspace.ShardId;

/**
 * The buckets that leave one source, and where they stand. Immutable.
 *
 * @param direction which way the last attempt went, or goes
 * @param attempt grows with every fence, in either direction
 * @param epoch that the map gets if this attempt is decided
 */
public record StageUnit(
    ShardId source, Place place, Direction direction, long attempt, long epoch) {

  /** AT_SOURCE, FENCED, DECIDED, AT_DESTINATION, and back: FENCED is left backwards by a lift. */
  public enum Place {
    AT_SOURCE,
    FENCED,
    DECIDED,
    AT_DESTINATION
  }

  /** A cutover, or its way back. */
  public enum Direction {
    FORWARD,
    BACK
  }

  public String name() {
    return "unit " + source;
  }
}
