package dev.reshard.control;

import dev.reshard.keyspace.ShardId;

/**
 * The buckets that leave one source for one destination, and where they stand. One owner and one
 * receiver in either direction, so that a decision is always a single shard's. Immutable.
 *
 * @param direction which way the last attempt went, or goes
 * @param attempt grows with every fence, in either direction
 * @param epoch that the map gets if this attempt is decided
 */
public record StageUnit(
    ShardId source,
    ShardId destination,
    Place place,
    Direction direction,
    long attempt,
    long epoch) {

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

  /** Who owns the buckets before the attempt is decided. */
  public ShardId owner() {
    return direction == Direction.FORWARD ? source : destination;
  }

  /** Who owns them afterwards. */
  public ShardId receiver() {
    return direction == Direction.FORWARD ? destination : source;
  }

  /** Where the buckets are if the attempt is given up. */
  public Place before() {
    return direction == Direction.FORWARD ? Place.AT_SOURCE : Place.AT_DESTINATION;
  }

  /** Where they are once it is through. */
  public Place after() {
    return direction == Direction.FORWARD ? Place.AT_DESTINATION : Place.AT_SOURCE;
  }

  /** A new attempt. */
  public StageUnit fenced(Direction towards, long epoch) {
    return new StageUnit(source, destination, Place.FENCED, towards, attempt + 1, epoch);
  }

  public StageUnit at(Place place) {
    return new StageUnit(source, destination, place, direction, attempt, epoch);
  }

  /** {@code a > c}. */
  @Override
  public String toString() {
    return source + " > " + destination;
  }
}
