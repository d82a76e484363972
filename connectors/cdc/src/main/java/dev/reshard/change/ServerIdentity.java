package dev.reshard.change;

/**
 * Whose WAL positions these are: after a failover or a restore the same LSN may name another
 * change, so positions of two identities are never compared (HAZARDS F18). Immutable.
 *
 * @param system the cluster's system identifier, decimal
 * @param timeline grows with every promotion of a standby
 */
public record ServerIdentity(String system, int timeline) {
  @Override
  public String toString() {
    return "system %s, timeline %d".formatted(system, timeline);
  }
}
