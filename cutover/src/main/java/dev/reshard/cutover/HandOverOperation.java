package dev.reshard.cutover;

import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.ShardId;
import dev.reshard.migration.CatalogWatch;
import dev.reshard.migration.Gate;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Operation;
import dev.reshard.migration.Replication;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A cutover or a rollback, as operators ask for it: the same protocol, the sides exchanged. */
public final class HandOverOperation implements Operation {
  private static final int DONE = 0;
  private static final int REFUSED = 4;
  private static final int GAVE_UP = 5;

  private final Direction direction;
  private final Migration migration;
  private final HandOver handOver;
  private final CatalogWatch catalogs;
  private final List<Gate> gates;

  private HandOverOperation(
      Direction direction,
      Migration migration,
      Replication replication,
      CatalogWatch catalogs,
      List<Gate> gates) {
    this.direction = direction;
    this.migration = migration;
    this.handOver = new HandOver(migration, replication);
    this.catalogs = catalogs;
    List<Gate> all = new ArrayList<>(gates);
    all.add(new PredictedPause(migration, replication, direction));
    this.gates = List.copyOf(all);
  }

  /** Hands the buckets to their destinations, if every gate is open. */
  public static HandOverOperation cutover(
      Migration migration, Replication replication, CatalogWatch catalogs, List<Gate> gates) {
    return new HandOverOperation(Direction.FORWARD, migration, replication, catalogs, gates);
  }

  /** Hands them back to their sources, if the way back keeps up. */
  public static HandOverOperation rollback(
      Migration migration, Replication replication, CatalogWatch catalogs, List<Gate> gates) {
    return new HandOverOperation(Direction.BACK, migration, replication, catalogs, gates);
  }

  @Override
  public Command command() {
    return direction == Direction.FORWARD ? Command.CUTOVER : Command.ROLLBACK;
  }

  @Override
  public Set<MigrationState> states() {
    return EnumSet.of(
        MigrationState.READY_FOR_CUTOVER, MigrationState.COMPLETED, MigrationState.ROLLED_BACK);
  }

  @Override
  public int run(MigrationState state, Request request, Consumer<String> say) throws Exception {
    List<StageUnit> units = handOver.waiting(direction);
    if (units.isEmpty()) {
      say.accept("already so: " + owners());
      return DONE;
    }
    Map<StageUnit, Map<ShardId, String>> tables = handOver.tables(units);
    catalogs.compareNow();
    List<Gate.Verdict> closed = new ArrayList<>();
    for (Gate gate : gates) {
      Gate.Verdict verdict = gate.look();
      if (!verdict.open()) {
        closed.add(verdict);
      }
    }
    if (!closed.isEmpty()) {
      closed.forEach(verdict -> say.accept("gate closed: " + verdict));
      say.accept("refused; nothing was changed");
      return REFUSED;
    }
    MigrationState handing =
        direction == Direction.FORWARD ? MigrationState.CUTTING_OVER : MigrationState.ROLLING_BACK;
    long lease = migration.worker().lease();
    ControlStore control = migration.control();
    long before = handOver.epoch();
    control.moveTo(state, handing, lease, request.who(), "asked for");
    CutoverDriver.Result slowest = null;
    String gaveUp = "";
    for (StageUnit unit : units) {
      CutoverDriver.Result result = handOver.attempt(unit, direction, tables.get(unit), say);
      if (result.progress() != Progress.MOVED) {
        gaveUp = "%s was given up: %s".formatted(unit, result.reason());
        break;
      }
      slowest = slowest == null || pause(result) > pause(slowest) ? result : slowest;
    }
    MigrationState after = handOver.state(handing);
    control.moveTo(
        handing, after, lease, request.who(), gaveUp.isEmpty() ? "all units moved" : gaveUp);
    if (slowest != null) {
      say.accept("%s (epoch %d > %d)".formatted(owners(), before, handOver.epoch()));
      say.accept("slowest unit: " + steps(slowest));
    }
    if (!gaveUp.isEmpty()) {
      say.accept(gaveUp + "; it takes writes where it did before. Try again when that is mended");
      return GAVE_UP;
    }
    return DONE;
  }

  /** Who owns the migration's buckets now: {@code 342 buckets belong to c}. */
  private String owners() throws Exception {
    Map<ShardId, BucketSet> owned = new TreeMap<>();
    for (StageUnit unit : migration.control().units()) {
      boolean moved = unit.place() == StageUnit.Place.AT_DESTINATION;
      owned.merge(
          moved ? unit.destination() : unit.source(),
          Guards.moveOf(migration, unit).buckets(),
          BucketSet::plus);
    }
    return owned.entrySet().stream()
        .map(e -> "%d buckets belong to %s".formatted(e.getValue().size(), e.getKey()))
        .collect(Collectors.joining(", "));
  }

  private static double pause(CutoverDriver.Result result) {
    return result.millis().values().stream().mapToDouble(Double::doubleValue).sum();
  }

  /** Clients are let in before the hand-over is recorded: that is no part of their wait. */
  private static String steps(CutoverDriver.Result result) {
    double recording = result.millis().getOrDefault(CutoverDecider.Step.RECORD, 0.0);
    return result.millis().entrySet().stream()
        .filter(step -> step.getKey() != CutoverDecider.Step.RECORD)
        .map(
            step ->
                "%s %.1f"
                    .formatted(
                        step.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        step.getValue()))
        .collect(
            Collectors.joining(
                ", ",
                "clients waited during ",
                ": %.0f ms; then record %.1f ms".formatted(pause(result) - recording, recording)));
  }
}
