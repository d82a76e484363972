package dev.reshard.control;

/** Another worker has taken over: this one must stop at once, and has done no harm. */
public class LeaseLostException extends RuntimeException {
  public LeaseLostException(String migration, long lease) {
    super(
        "migration %s: lease %d is no longer ours, another worker has taken over; this one stops"
            .formatted(migration, lease));
  }

  LeaseLostException(String message) {
    super(message);
  }
}
