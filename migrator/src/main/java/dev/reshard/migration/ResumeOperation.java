package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;

/** Ends a pause, as an operator asks for it. */
public final class ResumeOperation implements Operation {
  private static final int DONE = 0;

  private final Migration migration;

  public ResumeOperation(Migration migration) {
    this.migration = migration;
  }

  @Override
  public Command command() {
    return Command.RESUME;
  }

  @Override
  public Set<MigrationState> states() {
    return EnumSet.of(MigrationState.PAUSED);
  }

  @Override
  public int run(MigrationState state, Request request, Consumer<String> say) throws Exception {
    MigrationState next = migration.control().stateBeforePause().orElseThrow();
    migration.control().moveTo(state, next, migration.worker().lease(), request.who(), "asked for");
    say.accept("goes on with " + next);
    return DONE;
  }
}
