package dev.reshard.shadow;

import dev.reshard.topics.ShadowRead;
import java.util.Locale;
import java.util.Objects;

/** What one pair of reads says. */
public enum Outcome {
  /** Both sides have the same, or nothing. */
  MATCH,
  /** Both sides have the row, and some column differs. */
  MISMATCH,
  /** Only the source has the row. */
  MISSING,
  /** Only the destination has the row. */
  EXTRA,
  /** They differ, and the lane has not applied all that the source showed: no answer. */
  LAGGING,
  /** They differ, but a change may have come in between the reads: no answer. */
  RACED;

  /** Pure; does not depend on any other read. */
  public static Outcome of(ShadowRead read) {
    if (Objects.equals(read.sourceDigest(), read.destinationDigest())) {
      return MATCH;
    }
    if (Long.compareUnsigned(read.applied(), read.bound()) < 0) {
      return LAGGING;
    }
    if (!read.settled()) {
      return RACED;
    }
    if (read.destinationDigest() == null) {
      return MISSING;
    }
    return read.sourceDigest() == null ? EXTRA : MISMATCH;
  }

  /** Whether the sides differ for certain. */
  public boolean isDifference() {
    return this == MISMATCH || this == MISSING || this == EXTRA;
  }

  /** The name in JSON. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
