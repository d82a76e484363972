package dev.reshard.cutover;

import dev.reshard.control.LeaseLostException;
import dev.reshard.control.MigrationState;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Phase;
import dev.reshard.migration.Replication;
import dev.reshard.postgres.SqlState;
import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a worker does first in a state in which the one before it died while handing units over. */
public final class RecoverPhase implements Phase {
  private static final Logger log = LoggerFactory.getLogger(RecoverPhase.class);

  /** Then the worker looks at what operators ask, and runs this phase again. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private static final long RETRY_MS = 500;

  private final MigrationState state;
  private final Replication replication;
  private final HandOver handOver;

  /**
   * For one of the two states.
   *
   * @param state CUTTING_OVER or ROLLING_BACK
   */
  public RecoverPhase(MigrationState state, Migration migration, Replication replication) {
    this.state = state;
    this.replication = replication;
    this.handOver = new HandOver(migration, replication);
  }

  @Override
  public MigrationState state() {
    return state;
  }

  @Override
  public Outcome run() throws Exception {
    recover();
    return new Outcome(handOver.state(state), "recovered after the worker stopped in between");
  }

  /**
   * Until it is done: while a unit is decided and its receiver not open, nobody may write to it.
   * Each try opens new sessions, and starts lanes again that have stopped, for a server may be
   * coming back.
   */
  private void recover() throws Exception {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      try {
        replication.restartStopped();
        handOver.recover();
        return;
      } catch (LeaseLostException | InterruptedException e) {
        throw e;
      } catch (Exception e) {
        boolean isOthers = e instanceof SQLException sql && SqlState.isLeaseLost(sql);
        if (isOthers || System.nanoTime() > deadline) {
          throw e;
        }
        log.warn("recovery failed; the next try follows", e);
        Thread.sleep(RETRY_MS); // the server may be back then
      }
    }
  }
}
