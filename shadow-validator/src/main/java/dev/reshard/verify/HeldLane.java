package dev.reshard.verify;

import dev.reshard.apply.Lane;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import java.time.Duration;

/** What a comparison needs of a running lane. Called by one thread at a time. */
public interface HeldLane {

  /** A lane that runs. */
  static HeldLane of(Lane lane) {
    return new HeldLane() {
      @Override
      public ShardId destination() {
        return lane.config().destination();
      }

      @Override
      public void hold() throws InterruptedException {
        lane.hold();
      }

      @Override
      public boolean applyTo(Lsn target, Duration limit) throws InterruptedException {
        return lane.applyTo(target, limit);
      }

      @Override
      public void resume() {
        lane.resume();
      }
    };
  }

  /** Where it writes. */
  ShardId destination();

  /** Returns once the lane has committed what it was at, and takes nothing more. */
  void hold() throws InterruptedException;

  /**
   * Runs a held lane until it has committed the last transaction that ends at or before {@code
   * target}, and nothing behind it; then it is held again.
   *
   * @return false if the time is over before that
   */
  boolean applyTo(Lsn target, Duration limit) throws InterruptedException;

  /** Lets it run freely; nothing happens if it does. */
  void resume();
}
