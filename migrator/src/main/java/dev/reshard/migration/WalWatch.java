package dev.reshard.migration;

import dev.reshard.capture.CaptureStatus;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ReplicationSlots.Slot;
import dev.reshard.spec.Rate;
import dev.reshard.throttle.Limit;
import dev.reshard.throttle.WalBudget;
import dev.reshard.throttle.WalBudget.Level;
import dev.reshard.throttle.WalBudget.Use;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Looks every second at what the captures see of our replication slots: as the WAL that one keeps
 * comes near its budget it warns, then has the copy throttled, then the migration paused; a slot
 * that is gone pauses it, too, and a row that is too large to be taken from one. Once a unit has
 * moved nothing is paused any more, as the way back must stay open: then it is told only.
 * Thread-safe.
 */
public final class WalWatch implements Service {
  /**
   * What is left to the copy when most of a budget is used: capture, and the servers behind it, are
   * to have the rest.
   */
  private static final double SHARE_OF_COPY = 0.25;

  private static final String AFTER_FULL =
      ", or raise the limit; a new one in the file counts once the worker is started anew. Then 'reshard resume'";

  private record Seen(String slot, Use use) {}

  private final Migration migration;
  private final Replication replication;
  private final Consumer<String> pause;
  private final Map<ShardId, WalBudget> budgets = new TreeMap<>();
  private volatile Map<ShardId, Seen> seen = Map.of();
  private final RepeatedLook watch = new RepeatedLook("wal", this::look);

  /**
   * Starts nothing.
   *
   * @param pause pauses the migration, for the reason that it is given
   */
  public WalWatch(Migration migration, Replication replication, Consumer<String> pause) {
    this.migration = migration;
    this.replication = replication;
    this.pause = pause;
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return state == MigrationState.COPYING || state.replicates();
  }

  @Override
  public void start() {
    watch.start();
  }

  private void look() throws SQLException {
    Map<ShardId, Seen> now = new TreeMap<>();
    Map<ShardId, CaptureStatus> captures = replication.captures();
    captures.forEach(
        (shard, capture) ->
            capture
                .slot()
                .filter(slot -> !capture.isSlotGone())
                .ifPresent(slot -> now.put(shard, new Seen(slot.name(), note(shard, slot)))));
    budgets.keySet().retainAll(captures.keySet());
    seen = now;
    MigrationState state = migration.control().state();
    Optional<String> why =
        gone(captures)
            .map(gone -> gone + " " + afterLoss(state))
            .or(() -> tooLarge(captures))
            .or(() -> told(Level.PAUSE).map(full -> full + AFTER_FULL));
    if (why.isPresent() && mayPause(state)) {
      pause.accept(why.get());
    }
  }

  /** Its shard would keep WAL until somebody acts. */
  private static Optional<String> tooLarge(Map<ShardId, CaptureStatus> captures) {
    return captures.entrySet().stream()
        .filter(capture -> capture.getValue().isRowTooLarge())
        .map(capture -> "shard %s: %s".formatted(capture.getKey(), capture.getValue().reason()))
        .findFirst();
  }

  private Use note(ShardId shard, Slot slot) {
    return budgets
        .computeIfAbsent(shard, s -> new WalBudget(migration.spec().budget().wal()))
        .note(slot.walBytes(), slot.safeBytes(), System.nanoTime());
  }

  private static Optional<String> gone(Map<ShardId, CaptureStatus> captures) {
    return captures.values().stream()
        .filter(CaptureStatus::isSlotGone)
        .map(CaptureStatus::reason)
        .findFirst();
  }

  private static String afterLoss(MigrationState state) {
    return state == MigrationState.COPYING
        ? "'reshard resume' begins the copy again, from such a one"
        : "As nothing has moved, 'reshard cancel' removes all that was made; then begin another migration";
  }

  /** While PAUSED there is nothing to pause. */
  private boolean mayPause(MigrationState state) throws SQLException {
    return switch (state) {
      case COPYING -> true;
      case CATCHING_UP, READY_FOR_CUTOVER ->
          migration.control().units().stream().allMatch(unit -> unit.place() == Place.AT_SOURCE);
      case PENDING,
          PREPARING,
          CUTTING_OVER,
          COMPLETED,
          ROLLING_BACK,
          ROLLED_BACK,
          CLEANING_UP,
          CLEANED,
          PAUSED,
          FAILED,
          CANCELLED ->
          false;
    };
  }

  /** What the copy may do now because of WAL; whoever copies to a shard makes WAL there, too. */
  public List<Limit> limits() {
    return seen.entrySet().stream()
        .filter(entry -> entry.getValue().use().level().compareTo(Level.THROTTLE) >= 0)
        .map(
            entry ->
                new Limit(
                    Rate.share(SHARE_OF_COPY),
                    "WAL of %s is %s".formatted(entry.getKey(), entry.getValue().use())))
        .toList();
  }

  @Override
  public Optional<String> trouble() {
    return told(Level.WARN);
  }

  /** Of the slot that uses most of its budget, if that is so much. */
  private Optional<String> told(Level level) {
    return seen.entrySet().stream()
        .filter(entry -> entry.getValue().use().level().compareTo(level) >= 0)
        .max((a, b) -> Long.compare(a.getValue().use().percent(), b.getValue().use().percent()))
        .map(
            entry ->
                "shard %s keeps WAL for replication slot %s: %s. Find out why its changes do not come into Kafka in time (worker, Kafka or an old transaction)"
                    .formatted(entry.getKey(), entry.getValue().slot(), entry.getValue().use()));
  }

  /**
   * {@code wal}: each replication slot with what it keeps and may keep, in bytes; {@code full_in_s}
   * is -1 while it does not grow, {@code limit} without any.
   */
  @Override
  public Map<String, Object> report() {
    List<Map<String, Object>> lines = new ArrayList<>();
    seen.forEach(
        (shard, slot) -> {
          Map<String, Object> line = new LinkedHashMap<>();
          line.put("shard", shard.name());
          line.put("limit", slot.use().limit().orElse(-1));
          line.put("full_in_s", slot.use().fullIn().orElse(-1));
          lines.add(line);
        });
    return Map.of("wal", lines);
  }

  @Override
  public void close() {
    watch.close();
    seen = Map.of();
  }
}
