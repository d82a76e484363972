package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.cli.StatusFacts.HeldWal;
import dev.reshard.cli.StatusFacts.Said;
import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.postgres.Marker;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Facts of a migration that hands half of a's 8 buckets to c, as a test likes them. */
final class HandMadeStatus {
  static final Instant NOW = Instant.parse("2026-03-02T03:12:04Z");
  static final Marker MARKER = Marker.random();
  private static final ShardId A = new ShardId("a");
  private static final ShardId C = new ShardId("c");

  private final MigrationState state;
  private final List<Transition> transitions = new ArrayList<>();
  private final List<HeldWal> wal = new ArrayList<>();
  private Optional<MigrationState> beforePause = Optional.empty();
  private Optional<String> holder = Optional.of("ops@host1, pid 7");
  private Optional<String> verification = Optional.empty();
  private List<StageUnit> units = List.of(unit(Place.AT_SOURCE));
  private String report = "{}";
  private long reportAgeMs = 100;

  private HandMadeStatus(MigrationState state) {
    this.state = state;
    entered("worker", "it came so");
  }

  static HandMadeStatus in(MigrationState state) {
    return new HandMadeStatus(state);
  }

  /** Who brought it into its state, and why. */
  HandMadeStatus entered(String who, String why) {
    MigrationState from =
        state == MigrationState.PENDING ? MigrationState.PENDING : MigrationState.PREPARING;
    transitions.clear();
    transitions.add(new Transition(NOW.minusSeconds(420), from, state, who, why));
    transitions.add(
        new Transition(
            NOW.minusSeconds(4 * 3600),
            MigrationState.PENDING,
            MigrationState.PREPARING,
            "worker",
            "yesterday"));
    return this;
  }

  HandMadeStatus pausedIn(MigrationState before) {
    beforePause = Optional.of(before);
    return this;
  }

  HandMadeStatus withoutWorkerFor(long ms) {
    holder = Optional.empty();
    reportAgeMs = ms;
    return this;
  }

  HandMadeStatus silentFor(long ms) {
    reportAgeMs = ms;
    return this;
  }

  HandMadeStatus report(String json) {
    report = json;
    return this;
  }

  HandMadeStatus verified(long differing) {
    verification = Optional.of("{\"rows\":96970,\"differing\":%d}".formatted(differing));
    return this;
  }

  HandMadeStatus moved() {
    units = List.of(unit(Place.AT_DESTINATION));
    return this;
  }

  HandMadeStatus units(List<StageUnit> all) {
    units = all;
    return this;
  }

  HandMadeStatus wal(String shard, long bytes, boolean lost, String problem) {
    wal.add(new HeldWal(new ShardId(shard), "reshard_shop_" + shard, bytes, true, lost, problem));
    return this;
  }

  static StageUnit unit(Place place) {
    return new StageUnit(A, C, place, Direction.FORWARD, 0, 1);
  }

  StatusFacts facts() throws JsonProcessingException {
    Moves moves = new Moves(List.of(new Move(A, C, BucketSet.range(4, 8))));
    return new StatusFacts(
        "shop",
        " -f shop.yaml",
        NOW,
        Optional.of(new MigrationRecord("shop", "shop", state, MARKER, moves, units, verification)),
        beforePause,
        holder,
        Optional.of(new Said(new ObjectMapper().readTree(report), reportAgeMs)),
        ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 8))),
        true,
        wal,
        List.of(),
        transitions);
  }

  /** What nobody has stored yet. */
  static StatusFacts nothing() {
    return new StatusFacts(
        "shop",
        "",
        NOW,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 8))),
        false,
        List.of(),
        List.of(),
        List.of());
  }

  /** The screen. */
  String text() throws JsonProcessingException {
    return String.join("\n", StatusView.lines(facts(), ZoneOffset.UTC));
  }
}
