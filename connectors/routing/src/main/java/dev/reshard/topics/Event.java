package dev.reshard.topics;

/**
 * Something that happened to a migration: it went from one state to another, or one of its units
 * from one place to another. JSON with the fields' names in snake_case. Immutable.
 *
 * <p>Every event is published at least once, in order; a repeated one has the same {@code id}.
 *
 * @param version of these fields; 1
 * @param id grows within a migration
 * @param at when it was stored, ISO 8601, UTC
 * @param kind {@code state}, or {@code unit} for the buckets that one source hands to one
 *     destination
 * @param unit {@code a > c}; null for a state
 * @param from the state or place that was left
 * @param to the state or place that was entered; a unit's owner has changed when it is {@code
 *     AT_DESTINATION}, or {@code AT_SOURCE} again
 * @param epoch of the map that the unit's attempt leads to; null for a state
 */
public record Event(
    int version,
    String migration,
    long id,
    String at,
    String kind,
    String unit,
    String from,
    String to,
    Long epoch,
    String who,
    String why) {

  /** The version that this program writes. */
  public static final int VERSION = 1;

  /** The kind of a migration's change of state. */
  public static final String STATE = "state";

  /** The kind of a unit's change of place. */
  public static final String UNIT = "unit";

  public byte[] toJson() {
    return Json.write(this);
  }
}
