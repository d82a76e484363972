package dev.reshard.cutover;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * A shard with the guard of one unit, as guard.sql and its trigger function have it: values of
 * sequences are seen by everybody at once and do not roll back, the guard's row is locked by every
 * call and does. Confined to one thread.
 */
final class SimulatedShard {
  static final long FOR_EVER = Long.MAX_VALUE;
  private static final int WRITE = 0;

  final String name;
  // sequences
  long until;
  long broken;
  long sealed;
  // rows
  long attempt;
  long fencedAttempt;
  long lease;

  long clock = 1_000_000;

  /** What has committed, in order: {@link #WRITE}s, and the tokens of attempts by their number. */
  final List<Long> log = new ArrayList<>();

  /** How much of the log the other shard has applied. */
  int applied;

  final Set<Write> inFlight = new LinkedHashSet<>();
  private Call lockedBy;

  SimulatedShard(String name, boolean open) {
    this.name = name;
    until = open ? 0 : FOR_EVER;
    sealed = open ? 0 : 2;
  }

  /** Whether a write that is checked now would pass. */
  boolean accepts() {
    return until == 0 || (until != FOR_EVER && clock >= until && sealed == 0);
  }

  int lastWrite() {
    return log.lastIndexOf((long) WRITE);
  }

  boolean hasApplied(long token) {
    int at = log.indexOf(token);
    return at >= 0 && at < applied;
  }

  boolean takeLease(long number) {
    lease = Math.max(lease, number);
    return lease == number;
  }

  /** An application's transaction: takes its lock and id first, then its trigger looks. */
  final class Write extends Actor {
    /** Whether a statement of it was let through; it commits unless a later one is refused. */
    boolean passed;

    private long seen;

    Write(BooleanSupplier oneMore) {
      next(() -> inFlight.add(this), () -> check(oneMore));
    }

    private void check(BooleanSupplier oneMore) {
      seen = until;
      if (seen == 0) {
        pass(oneMore);
      } else if (seen == FOR_EVER) {
        end();
      } else {
        next(
            () -> {
              if (clock < seen) {
                end();
              }
            },
            () -> broken++,
            () -> {
              if (sealed == 0) {
                pass(oneMore);
              } else {
                end();
              }
            });
      }
    }

    private void pass(BooleanSupplier oneMore) {
      passed = true;
      if (oneMore.getAsBoolean()) {
        next(() -> check(oneMore));
      } else {
        next(
            () -> {
              log.add((long) WRITE);
              end();
            });
      }
    }

    private void end() {
      inFlight.remove(this);
      stop();
    }
  }

  /**
   * A call of a guard function, which goes on in the server though its client may be gone. Its
   * steps are what others may see between two of its statements.
   */
  abstract class Call extends Actor {
    final long byLease;
    final long inAttempt;
    boolean failed;
    boolean leaseLost;
    boolean answer;

    private long attemptBefore;
    private long fencedBefore;

    Call(long byLease, long inAttempt) {
      this.byLease = byLease;
      this.inAttempt = inAttempt;
      next(this::lock);
    }

    /** The function's statements after the lock and the checks that all functions share. */
    abstract List<Runnable> body();

    private void lock() {
      if (lockedBy != null) {
        next(this::lock);
        return;
      }
      lockedBy = this;
      attemptBefore = attempt;
      fencedBefore = fencedAttempt;
      if (byLease != lease) {
        leaseLost = true;
        fail();
      } else if (inAttempt < attempt) {
        fail();
      } else {
        next(this::unlock);
        next(body());
      }
    }

    void note() {
      attempt = inAttempt;
    }

    /** An error, or the end of the server process: rows roll back, sequences do not. */
    final void fail() {
      if (lockedBy == this) {
        attempt = attemptBefore;
        fencedAttempt = fencedBefore;
        lockedBy = null;
      }
      failed = true;
      stop();
    }

    private void unlock() {
      lockedBy = null;
    }
  }

  Call claim(long byLease, long inAttempt) {
    return new Call(byLease, inAttempt) {
      @Override
      List<Runnable> body() {
        return List.of(this::note);
      }
    };
  }

  Call fence(long byLease, long inAttempt, long budget) {
    return new Call(byLease, inAttempt) {
      @Override
      List<Runnable> body() {
        return List.of(
            () -> {
              if (sealed == 2 || inAttempt <= fencedAttempt) {
                fail();
              }
            },
            () -> {
              fencedAttempt = inAttempt;
              note();
            },
            () -> broken = 0,
            () -> sealed = 0,
            () -> until = clock + budget);
      }
    };
  }

  Call seal(long byLease, long inAttempt) {
    return new Call(byLease, inAttempt) {
      @Override
      List<Runnable> body() {
        return List.of(
            () -> {
              if (inAttempt != fencedAttempt || until == 0) {
                fail();
              } else if (sealed == 2) {
                close();
              } else {
                next(() -> sealed = 1, this::look);
              }
            });
      }

      private void look() {
        if (broken == 0) {
          close();
        } else {
          next(() -> sealed = 0, this::note);
        }
      }

      private void close() {
        next(() -> sealed = 2, () -> until = FOR_EVER, this::note, () -> answer = true);
      }
    };
  }

  /** Answers whether it was lifted, not closed. */
  Call lift(long byLease, long inAttempt) {
    return new Call(byLease, inAttempt) {
      @Override
      List<Runnable> body() {
        return List.of(
            () -> {
              if (sealed == 2) {
                next(() -> until = FOR_EVER, this::note);
              } else {
                next(() -> until = 0, () -> sealed = 0, this::note, () -> answer = true);
              }
            });
      }
    };
  }

  Call open(long byLease, long inAttempt) {
    return new Call(byLease, inAttempt) {
      @Override
      List<Runnable> body() {
        return List.of(
            () -> {
              if (until == 0) {
                note();
              } else if ((sealed != 2 && until != FOR_EVER) || inAttempt <= fencedAttempt) {
                fail();
              } else {
                next(this::note, () -> broken = 0, () -> sealed = 0, () -> until = 0);
              }
            });
      }
    };
  }

  @Override
  public String toString() {
    return "%s(until %d at %d, broken %d, sealed %d, attempt %d, fenced %d, lease %d)"
        .formatted(name, until, clock, broken, sealed, attempt, fencedAttempt, lease);
  }
}
