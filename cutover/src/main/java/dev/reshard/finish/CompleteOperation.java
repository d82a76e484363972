package dev.reshard.finish;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.guard.Guard;
import dev.reshard.keyspace.ShardId;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Operation;
import dev.reshard.migration.Phase;
import dev.reshard.migration.Replication;
import dev.reshard.migration.UndoneException;
import dev.reshard.postgres.SqlState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Ends a migration, as an operator asks for it: for good, or as if it had never been begun. */
public final class CompleteOperation implements Operation {
  private static final int DONE = 0;
  private static final int REFUSED = 4;
  private static final int UNFINISHED = 6;
  private static final Duration REFERENCES_LIMIT = Duration.ofSeconds(20);

  private final Command command;
  private final Migration migration;
  private final Replication replication;
  private final CleanUpPhase cleanUp;

  private CompleteOperation(
      Command command, Migration migration, Replication replication, CleanUpPhase cleanUp) {
    this.command = command;
    this.migration = migration;
    this.replication = replication;
    this.cleanUp = cleanUp;
  }

  /** Ends the way back; the request's argument is the text of {@link CleanUpOptions}. */
  public static CompleteOperation complete(
      Migration migration, Replication replication, CleanUpPhase cleanUp) {
    return new CompleteOperation(Command.COMPLETE, migration, replication, cleanUp);
  }

  /** Takes everything away again, while no unit has moved. */
  public static CompleteOperation cancel(
      Migration migration, Replication replication, CleanUpPhase cleanUp) {
    return new CompleteOperation(Command.CANCEL, migration, replication, cleanUp);
  }

  @Override
  public Command command() {
    return command;
  }

  @Override
  public Set<MigrationState> states() {
    return command == Command.COMPLETE
        ? EnumSet.of(MigrationState.COMPLETED, MigrationState.ROLLED_BACK)
        : EnumSet.of(
            MigrationState.PENDING,
            MigrationState.PREPARING,
            MigrationState.COPYING,
            MigrationState.CATCHING_UP,
            MigrationState.READY_FOR_CUTOVER,
            MigrationState.PAUSED,
            MigrationState.FAILED);
  }

  @Override
  public int run(MigrationState state, Request request, Consumer<String> say) throws Exception {
    if (command == Command.CANCEL && someUnitMoved()) {
      say.accept("refused: some buckets have moved; 'reshard rollback' brings them back first");
      return REFUSED;
    }
    if (state == MigrationState.COMPLETED && !referencesArrived()) {
      say.accept(
          "refused: the last writes of reference tables have not come to every new shard; see the lanes in 'reshard status'");
      return REFUSED;
    }
    Optional<String> contradiction = contradiction();
    if (contradiction.isPresent()) {
      say.accept("refused: " + contradiction.get());
      return REFUSED;
    }
    long lease = migration.worker().lease();
    migration.control().setCleanUp(request.argument(), lease);
    migration.control().moveTo(state, cleanUp.state(), lease, request.who(), "asked for");
    Phase.Outcome outcome;
    try {
      outcome = cleanUp.run();
    } catch (UndoneException e) {
      say.accept(e.getMessage());
      return UNFINISHED;
    }
    migration.control().moveTo(cleanUp.state(), outcome.next(), lease, "worker", outcome.why());
    say.accept(state == MigrationState.ROLLED_BACK ? givenUp() : outcome.why());
    return DONE;
  }

  /** A shard that is away says nothing here: the clean-up asks again before it deletes anything. */
  private Optional<String> contradiction() throws SQLException {
    try {
      return cleanUp.contradiction();
    } catch (SQLException e) {
      if (SqlState.mayPass(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** After a rollback all that was purged are copies. */
  private String givenUp() {
    Set<ShardId> copied = new TreeSet<>(migration.moves().destinations());
    copied.addAll(migration.newShards());
    return "given up: nothing has moved; the copies on %s are deleted"
        .formatted(copied.stream().map(ShardId::name).collect(Collectors.joining(", ")));
  }

  /** From here on nobody brings new shards what is written to reference tables at home. */
  private boolean referencesArrived() throws SQLException, InterruptedException {
    if (!migration.hasReference()) {
      return true;
    }
    String token = migration.worker().marker().token("complete at " + System.nanoTime());
    try (Connection home = migration.sessions().open(migration.home(), "complete")) {
      Guard.emitToken(home, token);
    }
    for (ShardId shard : migration.newShards()) {
      if (!replication.awaitToken(migration.home(), shard, token, REFERENCES_LIMIT)) {
        return false;
      }
    }
    return true;
  }

  private boolean someUnitMoved() throws SQLException {
    return migration.control().units().stream().anyMatch(unit -> unit.place() != Place.AT_SOURCE);
  }
}
