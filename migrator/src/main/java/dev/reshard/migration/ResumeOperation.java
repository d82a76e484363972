package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Ends a pause and starts the lanes again that have stopped, as an operator asks for it. */
public final class ResumeOperation implements Operation {
  private static final int DONE = 0;

  private final Migration migration;
  private final Replication replication;
  private final CatalogWatch catalogs;

  public ResumeOperation(Migration migration, Replication replication, CatalogWatch catalogs) {
    this.migration = migration;
    this.replication = replication;
    this.catalogs = catalogs;
  }

  @Override
  public Command command() {
    return Command.RESUME;
  }

  @Override
  public Set<MigrationState> states() {
    return EnumSet.of(
        MigrationState.PAUSED,
        MigrationState.CATCHING_UP,
        MigrationState.READY_FOR_CUTOVER,
        MigrationState.COMPLETED,
        MigrationState.ROLLED_BACK);
  }

  @Override
  public int run(MigrationState state, Request request, Consumer<String> say) throws Exception {
    MigrationState next =
        state == MigrationState.PAUSED
            ? migration.control().stateBeforePause().orElseThrow()
            : state;
    if (next.replicates() || next == MigrationState.COPYING) {
      catalogs.accept(next);
    }
    if (state != MigrationState.PAUSED) {
      List<Replication.Pair> again = replication.restartStopped();
      say.accept(
          again.isEmpty()
              ? "already so: it is not paused, and no lane has stopped"
              : "lanes that start again: " + again);
      return DONE;
    }
    if (next == MigrationState.COPYING) {
      replication.stopGone(); // else it would be paused for the same again
    }
    List<Replication.Pair> again = replication.stopped();
    migration.control().moveTo(state, next, migration.worker().lease(), request.who(), "asked for");
    say.accept(
        "goes on with " + next + (again.isEmpty() ? "" : "; lanes that start again: " + again));
    return DONE;
  }
}
