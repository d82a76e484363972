package dev.reshard.finish;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Operation;
import dev.reshard.migration.Phase;
import dev.reshard.migration.Service;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Ends the way back, as an operator asks for it. */
public final class CompleteOperation implements Operation {
  private static final int DONE = 0;
  private static final int UNFINISHED = 6;

  private final Migration migration;
  private final CleanUpPhase cleanUp;

  public CompleteOperation(Migration migration, Guards guards, List<Service> services) {
    this.migration = migration;
    this.cleanUp = new CleanUpPhase(migration, guards, services);
  }

  @Override
  public Command command() {
    return Command.COMPLETE;
  }

  @Override
  public Set<MigrationState> states() {
    return EnumSet.of(MigrationState.COMPLETED, MigrationState.ROLLED_BACK);
  }

  @Override
  public int run(MigrationState state, String who, Consumer<String> say) throws Exception {
    long lease = migration.worker().lease();
    migration.control().moveTo(state, MigrationState.CLEANING_UP, lease, who, "asked for");
    Phase.Outcome outcome;
    try {
      outcome = cleanUp.run();
    } catch (IllegalStateException e) {
      say.accept(e.getMessage());
      return UNFINISHED;
    }
    migration
        .control()
        .moveTo(MigrationState.CLEANING_UP, outcome.next(), lease, who, outcome.why());
    say.accept(outcome.why());
    return DONE;
  }
}
