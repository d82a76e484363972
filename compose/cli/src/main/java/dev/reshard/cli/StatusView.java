package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.Move;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The one screen of {@code reshard status}: facts in, lines out. However many tables, lanes and
 * shards there are, it shows the worst few and says how many more there are. Pure.
 */
final class StatusView {
  /** As many of a kind are shown one by one. */
  private static final int ALL = 6;

  /** As many of more than {@link #ALL}. */
  private static final int WORST = 3;

  private static final int TRANSITIONS = 5;
  private static final int WHY = 120;

  private final StatusFacts facts;
  private final ZoneId zone;
  private final List<String> lines = new ArrayList<>();

  private StatusView(StatusFacts facts, ZoneId zone) {
    this.facts = facts;
    this.zone = zone;
  }

  /**
   * The screen.
   *
   * @param zone in which times are told
   */
  static List<String> lines(StatusFacts facts, ZoneId zone) {
    StatusView view = new StatusView(facts, zone);
    if (facts.stored().isPresent()) {
      view.addStored(facts.stored().get());
    } else {
      view.lines.add("there is no migration %s yet".formatted(facts.migration()));
      view.add("map", view.map());
      view.add("next", NextStep.of(facts));
    }
    return List.copyOf(view.lines);
  }

  private void addStored(MigrationRecord stored) {
    WorkerReport report = facts.report();
    lines.add("%s   %s%s".formatted(stored.name(), stored.state(), since()));
    add("worker", facts.holder().orElse("nobody works on it"));
    add("asked", facts.asked().stream().map(this::asked).toList());
    add("map", map());
    add("copy", CopyView.lines(stored.state(), report));
    add("throttle", held(stored.state(), report));
    add("lane", lanes(report));
    add("wal", wal());
    add("unit", units(stored));
    add("verified", verified(stored));
    add("gate", openGates(report));
    List<String> blocks = Blocks.of(facts);
    add("blocks", blocks.isEmpty() ? List.of("nothing") : blocks);
    add("next", NextStep.of(facts));
    facts.transitions().stream().limit(TRANSITIONS).forEach(t -> lines.add(transition(t)));
  }

  private void add(String name, String text) {
    lines.add("%-9s %s".formatted(name, text));
  }

  private void add(String name, List<String> texts) {
    for (int i = 0; i < texts.size(); i++) {
      add(i == 0 ? name : "", texts.get(i));
    }
  }

  private String since() {
    return facts
        .entered()
        .map(
            entered ->
                "   since %s (%s)".formatted(time(entered.at()), Quantity.span(ago(entered.at()))))
        .orElse("");
  }

  private long ago(Instant at) {
    return facts.now().getEpochSecond() - at.getEpochSecond();
  }

  private String time(Instant at) {
    return Quantity.time(at, facts.now(), zone);
  }

  private String asked(Requests.Open asked) {
    return "%s by %s, %s ago%s"
        .formatted(
            asked.command().name().toLowerCase(Locale.ROOT),
            asked.who(),
            Quantity.span(ago(asked.asked())),
            asked.said().isEmpty() ? "" : ": " + shortened(asked.said()));
  }

  private String map() {
    String buckets =
        few(
            facts.map().byShard().entrySet().stream().toList(),
            Comparator.comparing(Map.Entry::getKey),
            owned -> "%s %d".formatted(owned.getKey(), owned.getValue().size()));
    return "epoch %d: %s buckets%s"
        .formatted(
            facts.map().epoch(),
            buckets,
            facts.mapIsStored() ? "" : "   (the file's: none is stored yet)");
  }

  /** Beside the copy, whose lines say it themselves: what is compared or purged, and why slowly. */
  private static List<String> held(MigrationState state, WorkerReport report) {
    String work =
        switch (state) {
          case READY_FOR_CUTOVER, ROLLED_BACK -> "verify";
          case CLEANING_UP, CANCELLED -> "purge";
          case PENDING,
              PREPARING,
              COPYING,
              CATCHING_UP,
              CUTTING_OVER,
              COMPLETED,
              ROLLING_BACK,
              CLEANED,
              PAUSED,
              FAILED ->
              "";
        };
    return work.isEmpty()
        ? List.of()
        : report.throttles().stream()
            .limit(WORST)
            .map(held -> "%s %s  %s".formatted(work, held.source(), held.limit()))
            .toList();
  }

  private List<String> lanes(WorkerReport report) {
    Comparator<WorkerReport.Lane> worst =
        Comparator.comparing(WorkerReport.Lane::isRunning)
            .thenComparing(Comparator.comparingLong(WorkerReport.Lane::slowness).reversed());
    List<WorkerReport.Lane> all = report.lanes();
    List<String> shown =
        new ArrayList<>(
            (all.size() <= ALL ? all.stream() : all.stream().sorted(worst).limit(WORST))
                .map(StatusView::lane)
                .toList());
    if (all.size() > ALL) {
      shown.add("%d more lanes, all better".formatted(all.size() - WORST));
    }
    return shown;
  }

  private static String lane(WorkerReport.Lane lane) {
    String lag =
        lane.lagMs().isPresent() ? Quantity.millis(lane.lagMs().getAsLong()) : "not known yet";
    return "%s > %s  lag %s  %s rows applied  %s"
        .formatted(
            lane.source(),
            lane.destination(),
            lag,
            Quantity.count(lane.rows()),
            lane.state().toLowerCase(Locale.ROOT));
  }

  private List<String> wal() {
    if (facts.wal().isEmpty()) {
      return List.of();
    }
    String held =
        few(
            facts.wal(),
            Comparator.comparingLong(StatusFacts.HeldWal::bytes).reversed(),
            wal ->
                wal.shard()
                    + " "
                    + (wal.problem().isEmpty() ? Quantity.bytes(wal.bytes()) + budget(wal) : "?"));
    return List.of(held + " kept by our replication slots");
  }

  /** As the worker sees it, which has looked for long. */
  private String budget(StatusFacts.HeldWal held) {
    return facts.report().wal().stream()
        .filter(use -> use.shard().equals(held.shard().name()) && use.limit() >= 0)
        .map(
            use ->
                " of %s%s"
                    .formatted(
                        Quantity.bytes(use.limit()),
                        use.fullInSeconds() < 0
                            ? ""
                            : " (full in %s)".formatted(Quantity.span(use.fullInSeconds()))))
        .findFirst()
        .orElse("");
  }

  private List<String> units(MigrationRecord stored) {
    if (stored.units().size() <= ALL) {
      return stored.units().stream().map(unit -> unit(stored, unit)).toList();
    }
    Map<Place, Long> places =
        stored.units().stream()
            .collect(Collectors.groupingBy(StageUnit::place, TreeMap::new, Collectors.counting()));
    List<String> shown =
        new ArrayList<>(
            List.of(
                places.entrySet().stream()
                    .map(place -> "%d units %s".formatted(place.getValue(), place.getKey()))
                    .collect(Collectors.joining(", "))));
    stored.units().stream()
        .filter(unit -> unit.place() == Place.FENCED || unit.place() == Place.DECIDED)
        .limit(WORST)
        .forEach(unit -> shown.add(unit(stored, unit)));
    return shown;
  }

  private static String unit(MigrationRecord stored, StageUnit unit) {
    int buckets =
        stored.moves().from(unit.source()).stream()
            .filter(move -> move.destination().equals(unit.destination()))
            .mapToInt((Move move) -> move.buckets().size())
            .sum();
    return "%s  %d buckets  %s".formatted(unit, buckets, unit.place());
  }

  private static String verified(MigrationRecord stored) {
    if (stored.verification().isEmpty()) {
      return "not yet";
    }
    try {
      JsonNode result = new ObjectMapper().readTree(stored.verification().get());
      return "%s rows, %s differ"
          .formatted(
              Quantity.count(result.path("rows").asLong()),
              Quantity.count(result.path("differing").asLong()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the control database holds JSON only", e);
    }
  }

  private static List<String> openGates(WorkerReport report) {
    List<WorkerReport.GateSeen> open =
        report.gates().stream().filter(WorkerReport.GateSeen::open).toList();
    if (open.size() > ALL) {
      return List.of("%d gates are open".formatted(open.size()));
    }
    return open.stream()
        .map(g -> "%s: %s, must be %s: open".formatted(g.name(), g.value(), g.limit()))
        .toList();
  }

  private String transition(Transition t) {
    return "%s  %s > %s  %s (%s)"
        .formatted(time(t.at()), t.from(), t.to(), shortened(t.why()), t.who());
  }

  private static String shortened(String text) {
    return text.length() <= WHY ? text : text.substring(0, WHY) + " ..";
  }

  private static <T> String few(List<T> all, Comparator<T> order, Function<T, String> text) {
    if (all.size() <= ALL) {
      return all.stream().map(text).collect(Collectors.joining(", "));
    }
    return all.stream().sorted(order).limit(WORST).map(text).collect(Collectors.joining(", "))
        + " and %d more".formatted(all.size() - WORST);
  }
}
