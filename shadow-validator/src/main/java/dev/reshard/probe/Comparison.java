package dev.reshard.probe;

import dev.reshard.keyspace.Move;
import dev.reshard.postgres.Lsn;
import dev.reshard.probe.Probe.Next;
import dev.reshard.probe.RandomRows.Picked;
import dev.reshard.topics.ShadowRead;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One move's rows that are being compared. Those that wait for their lane wait aside: the others go
 * on. Confined to one thread.
 */
final class Comparison {
  /** More than these wait only if a lane is far behind; then a new row is given up at once. */
  private static final int ROOM = 1_000;

  /** A row that changes as often as that while it is looked at is left to the next pick. */
  private static final int MAX_ATTEMPTS = 20;

  /** Between two looks at one row. */
  private static final long AGAIN_NANOS = 50_000_000;

  private static final long POLL_NANOS = 100_000_000;

  /** What a lane may be behind a row before the servers are left to it: two heartbeats. */
  private static final long FAR_BEHIND_NANOS = 2_000_000_000;

  private record Waiting(Probe probe, long since) {}

  private final Move move;
  private final SourceReader source;
  private final DestinationReader destination;
  private final Places places;
  private final ReadSink sink;
  private final ProbeCounts counts;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private Lsn applied = Lsn.ZERO;
  private long oldestRunning;
  private long polled = System.nanoTime() - POLL_NANOS;
  private boolean oldOnesTurn;

  Comparison(
      Move move,
      SourceReader source,
      DestinationReader destination,
      Places places,
      ReadSink sink,
      ProbeCounts counts) {
    this.move = move;
    this.source = source;
    this.destination = destination;
    this.places = places;
    this.sink = sink;
    this.counts = counts;
  }

  /**
   * Makes one pair of reads, if there is a row to read: in turn an old one and a new one. No new
   * one while the lane is far behind: it would only wait, and its reads would hold up the lane.
   */
  void step(Picker picker) throws SQLException {
    OptionalLong unitAttempt = places.attempt(move, false);
    if (unitAttempt.isEmpty()) {
      waiting.clear();
      return;
    }
    boolean farBehind = isFarBehind();
    oldOnesTurn = farBehind || !oldOnesTurn;
    if (oldOnesTurn) {
      Optional<Probe> old = nextReady();
      if (old.isPresent()) {
        compare(old.get());
        return;
      }
    }
    if (farBehind) {
      return;
    }
    Optional<Picked> picked = picker.next();
    if (picked.isPresent()) {
      compare(new Probe(picked.get().table(), picked.get().key(), unitAttempt.getAsLong()));
    }
  }

  private Optional<Probe> nextReady() throws SQLException {
    if (waiting.isEmpty()) {
      return Optional.empty();
    }
    long now = System.nanoTime();
    if (now - polled >= POLL_NANOS) {
      polled = now;
      applied = destination.applied();
      oldestRunning = source.oldestRunning();
    }
    for (Iterator<Waiting> all = waiting.iterator(); all.hasNext(); ) {
      Waiting next = all.next();
      if (now - next.since >= AGAIN_NANOS && next.probe.isReady(applied, oldestRunning)) {
        all.remove();
        return Optional.of(next.probe);
      }
    }
    return Optional.empty();
  }

  private boolean isFarBehind() {
    long now = System.nanoTime();
    return waiting.stream()
        .anyMatch(w -> w.probe.pending().isPresent() && now - w.since >= FAR_BEHIND_NANOS);
  }

  private void compare(Probe probe) throws SQLException {
    SourceLook here =
        probe.pending().isPresent()
            ? probe.pending().get()
            : source.look(probe.table(), probe.key());
    Optional<DestinationLook> found = destination.look(probe.table(), probe.key());
    if (found.isEmpty()) {
      return; // no lane yet
    }
    DestinationLook there = found.get();
    applied = there.applied();
    oldestRunning = Math.max(oldestRunning, here.oldestRunning());
    Next next = probe.compare(here, there);
    if (next == Next.DIFFERS && !isStillAtSource(probe)) {
      return; // the owner changed meanwhile: another one is to be compared with now
    }
    if (probe.needsHorizon()) {
      probe.horizon(source.nextTransaction());
    }
    boolean again =
        (next == Next.BEHIND || next == Next.LOOK_AGAIN)
            && probe.attempt() < MAX_ATTEMPTS
            && waiting.size() < ROOM;
    if (again) {
      waiting.add(new Waiting(probe, System.nanoTime()));
    }
    counts.compared(next, again);
    sink.take(
        new ShadowRead(
            move.source(),
            move.destination(),
            probe.table().id(),
            probe.table().describe(probe.key()),
            probe.attempt(),
            here.digest(),
            there.digest(),
            here.bound().value(),
            there.applied().value(),
            next == Next.DIFFERS,
            !again,
            here.micros(),
            there.micros()));
  }

  /** Asked after both reads: if the owner is the same now, it was the owner then. */
  private boolean isStillAtSource(Probe probe) throws SQLException {
    OptionalLong now = places.attempt(move, true);
    return now.isPresent() && now.getAsLong() == probe.unitAttempt();
  }
}
