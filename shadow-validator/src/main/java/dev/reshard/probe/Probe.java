package dev.reshard.probe;

import dev.reshard.postgres.Lsn;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One row that is compared until there is an answer. No I/O; confined to its prober's thread.
 *
 * <p>A <em>look</em> reads the source and then the destination, the latter again once the lane has
 * passed the source's bound. Equal digests are a match wherever the lane stands. A difference is
 * final after two looks, i and k, if
 *
 * <ol>
 *   <li>in both the destination's position is at or past the bound of the source's read,
 *   <li>the source's row is the same version in both, and the destination's too,
 *   <li>at look k the source shows every transaction that was running after look i.
 * </ol>
 *
 * <p>Why that is no lag. Let the source have the row: by 1 the destination had at look i all that
 * the source showed, so if it were right it would show that version or a later one; a later one had
 * committed, by 3 look k would show it, and by 2 it does not. Let the source have no such row: the
 * destination's has not been written between the looks, so a right one would say that the source
 * has had the row all that time up to the second bound; by 3 look k would have shown it. Without 2
 * a value that changes there and back would be taken for a difference; without 3 a commit that
 * waits for a synchronous standby, which lanes may have applied already, though its own server does
 * not show it yet.
 */
final class Probe {

  /** What a comparison says. */
  enum Next {
    /** Equal. */
    MATCHED,
    /** Nothing until the lane has passed the bound; the source need not be read again. */
    BEHIND,
    /** They differ; look again. */
    LOOK_AGAIN,
    /** They differ for good. */
    DIFFERS
  }

  private record Suspicion(String sourceVersion, String destinationVersion) {}

  private final ProbedTable table;
  private final List<String> key;
  private final long unitAttempt;
  private int attempt;
  private SourceLook pending;
  private Suspicion suspicion;
  private long horizon = -1;

  /**
   * @param unitAttempt the unit's attempts when the row was picked
   */
  Probe(ProbedTable table, List<String> key, long unitAttempt) {
    this.table = table;
    this.key = List.copyOf(key);
    this.unitAttempt = unitAttempt;
  }

  ProbedTable table() {
    return table;
  }

  List<String> key() {
    return key;
  }

  long unitAttempt() {
    return unitAttempt;
  }

  /** How many pairs were compared. */
  int attempt() {
    return attempt;
  }

  /** The source's look that the destination had not reached; empty: read the source anew. */
  Optional<SourceLook> pending() {
    return Optional.ofNullable(pending);
  }

  /** Whether it is worth to look now, with the lane and the source's transactions so far. */
  boolean isReady(Lsn applied, long oldestRunning) {
    return pending != null ? !pending.bound().isAfter(applied) : oldestRunning >= horizon;
  }

  /** Takes a pair, read in this order. */
  Next compare(SourceLook source, DestinationLook destination) {
    attempt++;
    pending = null;
    if (Objects.equals(source.digest(), destination.digest())) {
      return Next.MATCHED;
    }
    if (source.bound().isAfter(destination.applied())) {
      pending = source;
      return Next.BEHIND;
    }
    Suspicion now = new Suspicion(source.version(), destination.version());
    if (!now.equals(suspicion)) {
      suspicion = now;
      horizon = -1;
      return Next.LOOK_AGAIN;
    }
    return horizon >= 0 && source.oldestRunning() >= horizon ? Next.DIFFERS : Next.LOOK_AGAIN;
  }

  /** Whether the source must now be asked for the number of its next transaction. */
  boolean needsHorizon() {
    return suspicion != null && horizon < 0;
  }

  /**
   * @param nextTransaction as the source says it after the destination was read
   */
  void horizon(long nextTransaction) {
    horizon = nextTransaction;
  }
}
