package dev.reshard.verify;

import dev.reshard.throttle.Limits;
import dev.reshard.throttle.Throttle;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * What holds a comparison back, and what ends it. Immutable.
 *
 * @param throttle of the source; a destination is read at the same pace
 * @param stop asked again and again: true ends the comparison without a result
 * @param snapshot how long a comparison that is held back may keep its snapshots
 * @param measured whether its pace is found by trying: then it never reads a table in one go
 */
record ComparisonLimits(
    Throttle throttle, BooleanSupplier stop, Duration snapshot, boolean measured) {
  /** Nothing does. */
  static final ComparisonLimits NONE =
      new ComparisonLimits(new Throttle(Limits.NONE), () -> false, Duration.ZERO, false);
}
