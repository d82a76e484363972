package dev.reshard.throttle;

import dev.reshard.spec.Rate.Unit;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * What all wait for who copy, compare or purge one shard's rows. Each chunk is a {@link Turn}.
 * Limits may change at any time. Thread-safe.
 */
public final class Throttle {
  /** The longest sleep: so late a new limit or a stop is noticed. */
  static final long SLICE_NANOS = 100_000_000;

  /** Less is not worth a sleep; it is made good later. */
  private static final long SHORTEST_NANOS = 1_000_000;

  /** For so long after somebody has waited for a limit it is the one that is told. */
  private static final long TOLD_NANOS = 3_000_000_000L;

  /** How to let time pass, for tests without any. */
  @FunctionalInterface
  interface Sleeper {
    void sleep(long nanos) throws InterruptedException;
  }

  private final LongSupplier nanos;
  private final Sleeper sleeper;
  private final Map<Unit, Meter> meters = new EnumMap<>(Unit.class);
  private Limits limits;
  private int running;
  private int waiting;
  private long movedBytes;
  private Optional<Unit> waitedFor = Optional.empty();
  private long waitedNanos;

  /** With these limits until there are others. */
  public Throttle(Limits first) {
    this(first, System::nanoTime, TimeUnit.NANOSECONDS::sleep);
  }

  Throttle(Limits first, LongSupplier nanos, Sleeper sleeper) {
    this.nanos = nanos;
    this.sleeper = sleeper;
    for (Unit unit : new Unit[] {Unit.BYTES, Unit.BLOCKS, Unit.ROWS}) {
      meters.put(unit, new Meter(nanos.getAsLong()));
    }
    set(first);
  }

  /** Replaces all limits, also for those who wait. */
  public synchronized void set(Limits next) {
    limits = next;
    long now = nanos.getAsLong();
    meters.forEach((unit, meter) -> meter.setRate(next.amount(unit), now));
  }

  /**
   * Waits until another chunk may begin.
   *
   * @param blocks pages of 8 KiB that it has
   * @param stop asked while it waits, here and in the turn: true ends every wait
   * @return empty if it was stopped before
   */
  public Optional<Turn> begin(long blocks, BooleanSupplier stop) throws InterruptedException {
    synchronized (this) {
      waiting++;
    }
    try {
      double place = -1;
      while (place < 0) {
        if (stop.getAsBoolean()) {
          return Optional.empty();
        }
        place = enter(blocks);
        if (place < 0) {
          sleeper.sleep(SLICE_NANOS);
        }
      }
      if (!await(Unit.BLOCKS, place, stop)) {
        leave();
        return Optional.empty();
      }
      return Optional.of(new Turn(this, stop));
    } finally {
      synchronized (this) {
        waiting--;
      }
    }
  }

  /** The chunk's place among the blocks; negative while no other chunk may begin. */
  private synchronized double enter(long blocks) {
    if (limits.pause().isPresent()) {
      return -1;
    }
    if (running >= limits.amount(Unit.CHUNKS)) {
      waited(Unit.CHUNKS);
      return -1;
    }
    running++;
    return meters.get(Unit.BLOCKS).take(blocks, nanos.getAsLong());
  }

  synchronized void leave() {
    running--;
  }

  /**
   * Says what was moved, and waits until that much may have been.
   *
   * @return how long it waited, in nanoseconds
   */
  long pay(long rows, long bytes, BooleanSupplier stop) throws InterruptedException {
    long start = nanos.getAsLong();
    double byteRow;
    double rowRow;
    synchronized (this) {
      movedBytes += bytes;
      byteRow = meters.get(Unit.BYTES).take(bytes, start);
      rowRow = meters.get(Unit.ROWS).take(rows, start);
      if (limits.isFree()) {
        return 0;
      }
    }
    if (!await(Unit.BYTES, byteRow, stop) || !await(Unit.ROWS, rowRow, stop)) {
      return 0;
    }
    return nanos.getAsLong() - start;
  }

  /** False if it was stopped. */
  private boolean await(Unit unit, double place, BooleanSupplier stop) throws InterruptedException {
    while (true) {
      long wait;
      synchronized (this) {
        wait = meters.get(unit).waitNanos(place, nanos.getAsLong());
        if (wait < SHORTEST_NANOS) {
          return true;
        }
        waited(unit);
      }
      if (stop.getAsBoolean()) {
        return false;
      }
      sleeper.sleep(Math.min(wait, SLICE_NANOS));
    }
  }

  /**
   * Rests, if only a share of the time may be used.
   *
   * @param owed nanoseconds of rest; less than a few milliseconds stay owed
   * @return what is still owed, negative if it took longer
   */
  long rest(long owed, BooleanSupplier stop) throws InterruptedException {
    long left = owed;
    while (left >= SHORTEST_NANOS && !stop.getAsBoolean()) {
      synchronized (this) {
        waited(Unit.SHARE);
      }
      long start = nanos.getAsLong();
      sleeper.sleep(Math.min(left, SLICE_NANOS));
      left -= nanos.getAsLong() - start;
    }
    return left;
  }

  private void waited(Unit unit) {
    waitedFor = Optional.of(unit);
    waitedNanos = nanos.getAsLong();
  }

  /** Rest for each nanosecond of work. */
  synchronized double restPerWork() {
    return Math.max(0, 1 / limits.amount(Unit.SHARE) - 1);
  }

  long now() {
    return nanos.getAsLong();
  }

  /** Whether nothing is held back now. */
  public synchronized boolean isFree() {
    return limits.isFree();
  }

  /** Whether no chunk may begin now. */
  public synchronized boolean isPaused() {
    return limits.pause().isPresent();
  }

  /** Whether anybody works, or would like to. */
  public synchronized boolean isBusy() {
    return running + waiting > 0;
  }

  /** How many bytes have been moved or read since the beginning. */
  public synchronized long movedBytes() {
    return movedBytes;
  }

  /** What holds them back; empty if nothing does. */
  public synchronized Optional<Limit> told() {
    boolean lately = nanos.getAsLong() - waitedNanos < TOLD_NANOS;
    return limits.told(lately ? waitedFor : Optional.empty());
  }
}
