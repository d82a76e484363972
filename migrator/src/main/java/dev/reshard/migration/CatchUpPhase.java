package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Waits until every lane, the way back included, is behind by less than the spec allows. */
public final class CatchUpPhase implements Phase {
  private static final long LOOK_MS = 50;

  private final Migration migration;
  private final Replication replication;
  private final BooleanSupplier stop;

  public CatchUpPhase(Migration migration, Replication replication, BooleanSupplier stop) {
    this.migration = migration;
    this.replication = replication;
    this.stop = stop;
  }

  @Override
  public MigrationState state() {
    return MigrationState.CATCHING_UP;
  }

  @Override
  public Outcome run() throws InterruptedException {
    Duration limit = migration.spec().gates().lag();
    while (!stop.getAsBoolean()) {
      Optional<Duration> lag = replication.lag();
      if (lag.isPresent() && lag.get().compareTo(limit) < 0 && replication.trouble().isEmpty()) {
        return new Outcome(
            MigrationState.READY_FOR_CUTOVER, "lag %d ms".formatted(lag.get().toMillis()));
      }
      Thread.sleep(LOOK_MS); // the next look at the lag
    }
    return new Outcome(MigrationState.CATCHING_UP, "stopped");
  }
}
