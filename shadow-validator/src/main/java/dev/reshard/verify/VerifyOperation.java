package dev.reshard.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.apply.Lane;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import dev.reshard.control.Requests.Request;
import dev.reshard.control.StageUnit;
import dev.reshard.copy.CopyPlan;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Gate;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Operation;
import dev.reshard.migration.Replication;
import dev.reshard.migration.Throttles;
import dev.reshard.postgres.Lsn;
import dev.reshard.throttle.Throttle;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The full verification, as operators ask for it: every moved row of every source at one position,
 * and then once more those that changed meanwhile. Its result opens or closes a gate.
 */
public final class VerifyOperation implements Operation {
  private static final int DONE = 0;
  private static final int DIFFERENCE = 7;
  private static final int GAVE_UP = 5;
  private static final int SHOWN = 10;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Migration migration;
  private final Replication replication;
  private final RecentChanges changes;
  private final Throttles throttles;
  private final BooleanSupplier yields;

  /**
   * The operation.
   *
   * @param throttles of each source that is read
   * @param yields true: the worker has something more urgent to do, or ends
   */
  public VerifyOperation(
      Migration migration,
      Replication replication,
      RecentChanges changes,
      Throttles throttles,
      BooleanSupplier yields) {
    this.migration = migration;
    this.replication = replication;
    this.changes = changes;
    this.throttles = throttles;
    this.yields = yields;
  }

  @Override
  public Command command() {
    return Command.VERIFY;
  }

  /** Before the cutover only: afterwards owner and copy have exchanged roles. */
  @Override
  public Set<MigrationState> states() {
    return EnumSet.of(MigrationState.READY_FOR_CUTOVER, MigrationState.ROLLED_BACK);
  }

  @Override
  public int run(MigrationState state, Request request, Consumer<String> say) throws Exception {
    try {
      return run(say);
    } catch (HeldUpException e) {
      say.accept(e.getMessage());
      return GAVE_UP;
    }
  }

  private int run(Consumer<String> say) throws Exception {
    Map<String, String> fingerprints = Fingerprints.read(migration);
    Tally found = new Tally();
    try {
      return compare(fingerprints, found, say);
    } catch (Exception e) {
      if (found.differing > 0) {
        say.accept(
            "%d rows differ in what was compared before it ended".formatted(found.differing));
        found.lines.forEach(say);
        save(found, new Tally(), fingerprints); // what an older one found counts no longer
      }
      throw e;
    }
  }

  /**
   * Compares all.
   *
   * @param found gets each table's result at once, also if a later one fails
   */
  private int compare(Map<String, String> fingerprints, Tally found, Consumer<String> say)
      throws Exception {
    Tally all = new Tally();
    Tally again = new Tally();
    for (ShardId source : migration.copied()) {
      CopyPlan plan = plan(source);
      if (plan.destinations().isEmpty()) {
        continue; // its buckets have moved already
      }
      List<HeldLane> lanes = lanes(source, plan);
      FrozenComparison comparison =
          new FrozenComparison(
              migration.sessions(),
              result -> found.add(migration.keyspace(), result),
              limits(source));
      RecentChanges.Rows changed;
      try {
        all.add(
            migration.keyspace(),
            comparison.compare(plan, lanes, slot(source), () -> changes.collect(keyless(plan))));
      } finally {
        changed = changes.take();
      }
      again.add(migration.keyspace(), comparison.compareAgain(plan, lanes, slot(source), changed));
      again.left += changed.left();
    }
    say.accept(
        "%s rows, every column, both sides: %d differ. %s changed meanwhile, compared again: %d differ"
            .formatted(number(all.rows), all.differing, number(again.rows), again.differing));
    all.lines.forEach(say);
    again.lines.forEach(say);
    if (again.left > 0) {
      say.accept(
          "%d more rows changed meanwhile than could be noted; verify again when less is written, or let it run faster"
              .formatted(again.left));
    }
    save(all, again, fingerprints);
    if (all.differing + again.differing > 0) {
      return DIFFERENCE;
    }
    return again.left == 0 ? DONE : GAVE_UP;
  }

  private ComparisonLimits limits(ShardId source) {
    Throttle throttle = throttles.of(source);
    GivesWay givesWay = new GivesWay(migration.control().requests(), throttle);
    return new ComparisonLimits(
        throttle,
        () -> yields.getAsBoolean() || givesWay.getAsBoolean(),
        migration.spec().copy().snapshot(),
        migration.spec().throttle().latency().isPresent());
  }

  private void save(Tally all, Tally again, Map<String, String> fingerprints) throws Exception {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("at", Instant.now().toString());
    result.put("rows", all.rows);
    result.put("keyed_rows", all.keyedRows);
    result.put("again", again.rows);
    result.put("differing", all.differing + again.differing);
    result.put("not_compared", again.left);
    result.put("fingerprints", fingerprints);
    migration
        .control()
        .saveVerification(JSON.writeValueAsString(result), migration.worker().lease());
  }

  /** What was saved last, as JSON; empty before that. */
  private static Optional<JsonNode> saved(Migration migration) throws Exception {
    Optional<String> stored = migration.control().load().orElseThrow().verification();
    return stored.isPresent() ? Optional.of(JSON.readTree(stored.get())) : Optional.empty();
  }

  /** Open when the last full verification found no difference. */
  public static Gate gate(Migration migration) {
    return () -> {
      Optional<JsonNode> saved = saved(migration);
      long differing = saved.map(last -> last.path("differing").asLong(-1)).orElse(-1L);
      long left = saved.map(last -> last.path("not_compared").asLong()).orElse(0L);
      String value =
          differing < 0
              ? "not done"
              : differing + " rows differ" + (left == 0 ? "" : ", %d not compared".formatted(left));
      String remedy =
          differing <= 0
              ? "run 'reshard verify'"
              : "find out why they differ, mend it, then run 'reshard verify' again";
      return new Gate.Verdict(
          "full verification", differing == 0 && left == 0, value, "done, 0 rows differ", remedy);
    };
  }

  /**
   * Open while the tables are what they were when they were verified: after a rewrite they have to
   * be verified again.
   */
  public static Gate fingerprintGate(Migration migration) {
    return () -> {
      Optional<JsonNode> saved = saved(migration);
      if (saved.isEmpty()) {
        return new Gate.Verdict("fingerprint", false, "not known", "as when verified");
      }
      Map<String, String> before = new TreeMap<>();
      saved
          .get()
          .path("fingerprints")
          .properties()
          .forEach(e -> before.put(e.getKey(), e.getValue().asText()));
      List<String> changed = Fingerprints.changed(before, Fingerprints.read(migration));
      return new Gate.Verdict(
          "fingerprint",
          changed.isEmpty(),
          changed.isEmpty()
              ? "unchanged"
              : "rewritten or altered since the verification: "
                  + String.join(", ", changed)
                  + "; verify again",
          "as when verified");
    };
  }

  /**
   * How many rows of the moving buckets can be found by a key, as last verified; empty before that.
   */
  public static OptionalLong keyedRows(Migration migration) throws Exception {
    Optional<JsonNode> saved = saved(migration);
    return saved.isPresent() && saved.get().has("keyed_rows")
        ? OptionalLong.of(saved.get().get("keyed_rows").asLong())
        : OptionalLong.empty();
  }

  /** What has moved already is left out: its owner and its copy have exchanged roles. */
  private Moves moves() throws SQLException {
    List<StageUnit> units = migration.control().units();
    return new Moves(
        migration.moves().all().stream()
            .filter(
                move ->
                    units.stream()
                        .noneMatch(
                            unit ->
                                unit.place() == StageUnit.Place.AT_DESTINATION
                                    && unit.source().equals(move.source())
                                    && unit.destination().equals(move.destination())))
            .toList());
  }

  /** Tables whose rows cannot be found again one by one. */
  private static Set<TableId> keyless(CopyPlan plan) {
    return plan.destinations().stream()
        .flatMap(to -> plan.tablesTo(to).stream())
        .filter(table -> TableComparison.keyOf(table).isEmpty())
        .map(table -> table.table().id())
        .collect(Collectors.toSet());
  }

  private CopyPlan plan(ShardId source) throws SQLException {
    try (Connection connection = migration.sessions().open(source, "verify")) {
      return CopyPlan.read(
          connection,
          source,
          migration.keyspace(),
          migration.before(),
          moves(),
          migration.references(source));
    }
  }

  private List<HeldLane> lanes(ShardId source, CopyPlan plan) {
    List<HeldLane> lanes = new ArrayList<>();
    for (ShardId destination : plan.destinations()) {
      lanes.add(new Held(replication.lane(source, destination)));
    }
    return lanes;
  }

  private String slot(ShardId source) {
    return migration.slot(source) + "_v";
  }

  static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value).replace(',', ' ');
  }

  /** Sums over sources. */
  private static final class Tally {
    private final List<String> lines = new ArrayList<>();
    private long rows;
    private long keyedRows;
    private long differing;
    private long left;

    void add(Keyspace keyspace, ComparisonResult result) {
      result.tables().forEach(table -> add(keyspace, table));
    }

    /** From any thread. */
    synchronized void add(Keyspace keyspace, TableResult table) {
      rows += table.sourceRows();
      if (!table.keyColumns().isEmpty() && !keyspace.reference().contains(table.table())) {
        keyedRows += table.sourceRows();
      }
      differing += table.missing() + table.extra() + table.changed();
      if (!table.isEqual()) {
        lines.add("differs: " + table);
        table.differences().stream().limit(SHOWN).forEach(d -> lines.add("  " + d));
      }
    }
  }

  /** A running lane. */
  private record Held(Lane lane) implements HeldLane {
    @Override
    public ShardId destination() {
      return lane.config().destination();
    }

    @Override
    public void hold() throws InterruptedException {
      lane.hold();
    }

    @Override
    public boolean applyTo(Lsn target, Duration timeout) throws InterruptedException {
      return lane.applyTo(target, timeout);
    }

    @Override
    public void resume() {
      lane.resume();
    }
  }
}
