package dev.reshard.throttle;

import dev.reshard.spec.Rate;

/**
 * The most that may be copied, compared or purged of one shard, and why. Immutable.
 *
 * @param reason for people, as it stands in the status
 */
public record Limit(Rate rate, String reason) {
  @Override
  public String toString() {
    return rate.isPause() ? "paused: " + reason : "at %s: %s".formatted(rate, reason);
  }
}
