package dev.reshard.routing;

import java.sql.SQLTimeoutException;
import java.time.Duration;
import java.util.Collection;

/**
 * The shards went on refusing a transaction's buckets until the router's patience was over. Every
 * try was rolled back; the cause is what the last one was told.
 */
public final class BucketsRefusedException extends SQLTimeoutException {
  BucketsRefusedException(
      Collection<Integer> buckets, int tries, Duration waited, Throwable cause) {
    super(
        """
        Buckets %s refused this transaction for %d ms, %d tries, all rolled back. They stay closed \
        longer than a cutover's pause: see 'reshard status'."""
            .formatted(buckets, waited.toMillis(), tries),
        "RS001",
        cause);
  }
}
