package dev.reshard.control;

/**
 * The control database did not answer for as long as a lease lasts, so that another worker may have
 * taken over, or will: this one must stop at once, and may take the lease anew if nobody has.
 */
public final class LeaseRanOutException extends LeaseLostException {
  public LeaseRanOutException(String migration, long lease) {
    super(
        "migration %s: lease %d has run out, for the control database did not answer for %s"
            .formatted(migration, lease, WorkerLease.TTL));
  }
}
