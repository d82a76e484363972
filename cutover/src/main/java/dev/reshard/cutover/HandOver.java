package dev.reshard.cutover;

import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.guard.Guard;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Replication;
import dev.reshard.postgres.ShardConnections;
import dev.reshard.routing.ShardMapStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Hands units over, one after the other, and mends what a dead worker left. Confined to one thread.
 */
final class HandOver {
  private final Migration migration;
  private final Replication replication;

  HandOver(Migration migration, Replication replication) {
    this.migration = migration;
    this.replication = replication;
  }

  /** Units that a hand-over in this direction would move. */
  List<StageUnit> waiting(Direction direction) throws SQLException {
    Place from = direction == Direction.FORWARD ? Place.AT_SOURCE : Place.AT_DESTINATION;
    return migration.control().units().stream().filter(unit -> unit.place() == from).toList();
  }

  /**
   * What the catalogs say of each unit's tables. To be read before they are compared for the gate:
   * what is altered after that is found under the fence.
   */
  Map<StageUnit, Map<ShardId, String>> tables(List<StageUnit> units) throws SQLException {
    Map<StageUnit, Map<ShardId, String>> tables = new HashMap<>();
    try (ShardConnections sessions = new ShardConnections(migration.sessions(), "cutover")) {
      for (StageUnit unit : units) {
        Guard guard =
            new Guard(Guards.unitOf(migration, Guards.moveOf(migration, unit)), migration.worker());
        Map<ShardId, String> of = new TreeMap<>();
        for (ShardId shard : List.of(unit.source(), unit.destination())) {
          of.put(shard, guard.tables(sessions.on(shard)));
        }
        tables.put(unit, of);
      }
    }
    return tables;
  }

  /**
   * A new attempt: reserved in the control database, then taken to its end.
   *
   * @param tables of the unit, of {@link #tables}
   * @param say hears what an operator should know beside how it ended
   */
  CutoverDriver.Result attempt(
      StageUnit unit, Direction direction, Map<ShardId, String> tables, Consumer<String> say)
      throws Exception {
    StageUnit fenced = unit.fenced(direction, epoch() + 1);
    try (ShardSteps steps = ShardSteps.attempt(migration, replication, fenced, tables)) {
      migration.control().moveUnit(unit, fenced, migration.worker().lease());
      CutoverDriver.Result result =
          new CutoverDriver(
                  steps, Progress.AT_OWNER, migration.spec().budget().pause(), System::nanoTime)
              .run();
      steps.notes().forEach(say);
      return result;
    }
  }

  /**
   * Brings every unit that is under way to an end: forward where the owner is sealed, else back.
   */
  void recover() throws Exception {
    for (StageUnit unit : migration.control().units()) {
      if (unit.place() == Place.FENCED || unit.place() == Place.DECIDED) {
        try (ShardSteps steps = ShardSteps.recovery(migration, replication, unit)) {
          steps.refuseTwoOwners();
          boolean sealed = steps.isSealed();
          if (sealed) {
            steps.decided();
          }
          Progress from = CutoverDecider.recovered(sealed);
          new CutoverDriver(steps, from, migration.spec().budget().pause(), System::nanoTime).run();
        }
      }
    }
  }

  /** Where the migration stands by its units, once none is under way. */
  MigrationState state(MigrationState handing) throws SQLException {
    ControlStore control = migration.control();
    List<StageUnit> units = control.units();
    boolean allMoved = units.stream().allMatch(unit -> unit.place() == Place.AT_DESTINATION);
    boolean noneMoved = units.stream().allMatch(unit -> unit.place() == Place.AT_SOURCE);
    if (allMoved) {
      return MigrationState.COMPLETED;
    }
    return noneMoved && handing == MigrationState.ROLLING_BACK
        ? MigrationState.ROLLED_BACK
        : MigrationState.READY_FOR_CUTOVER;
  }

  long epoch() throws SQLException {
    try (Connection connection = migration.sessions().open(migration.spec().control(), "cutover")) {
      Optional<ShardMap> map =
          ShardMapStore.load(connection, migration.keyspace().name()).map(stored -> stored.map());
      return map.orElseThrow().epoch();
    }
  }
}
