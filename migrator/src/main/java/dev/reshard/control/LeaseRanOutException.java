package dev.reshard.control;

/**
 * A lease was not refreshed for as long as it lasts, so that another worker may have taken over, or
 * will: this one must stop at once, and may take the lease anew if nobody has.
 */
public final class LeaseRanOutException extends LeaseLostException {
  public LeaseRanOutException(String migration, long lease) {
    super(
        "migration %s: lease %d has run out: the control database did not answer for %d s, or this process stood still"
            .formatted(migration, lease, WorkerLease.TTL.toSeconds()));
  }
}
