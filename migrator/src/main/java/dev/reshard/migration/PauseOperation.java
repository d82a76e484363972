package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Stops a migration's work on the shards until {@code resume}, as an operator or the worker asks
 * for it.
 */
public final class PauseOperation implements Operation {
  private static final int DONE = 0;

  private final Migration migration;
  private final CopyPhase copy;

  public PauseOperation(Migration migration, CopyPhase copy) {
    this.migration = migration;
    this.copy = copy;
  }

  @Override
  public Command command() {
    return Command.PAUSE;
  }

  @Override
  public Set<MigrationState> states() {
    return EnumSet.of(
        MigrationState.PREPARING,
        MigrationState.COPYING,
        MigrationState.CATCHING_UP,
        MigrationState.READY_FOR_CUTOVER,
        MigrationState.PAUSED);
  }

  @Override
  public int run(MigrationState state, Request request, Consumer<String> say) throws Exception {
    if (state == MigrationState.PAUSED) {
      say.accept("already so: it is paused");
      return DONE;
    }
    if (state == MigrationState.COPYING) {
      copy.abandon(); // first: else nobody would, if the worker died now
    }
    String why = request.argument().isEmpty() ? "asked for" : request.argument();
    migration
        .control()
        .moveTo(state, MigrationState.PAUSED, migration.worker().lease(), request.who(), why);
    if (state == MigrationState.COPYING) {
      say.accept(
          "paused. The copy's snapshot is given up, so that it holds back no vacuum and no WAL: after 'reshard resume' it begins again");
    } else if (state.replicates()) {
      say.accept(
          "paused. Changes go on into Kafka, so that no shard keeps its WAL; nothing is applied until 'reshard resume'");
    } else {
      say.accept("paused; 'reshard resume' goes on");
    }
    return DONE;
  }
}
