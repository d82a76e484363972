package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.control.ControlStore;
import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit;
import dev.reshard.control.WorkerLease;
import dev.reshard.keyspace.ShardMap;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The one screen of {@code reshard status}. Confined to one thread. */
final class StatusView {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneId.systemDefault());
  private static final int TRANSITIONS = 5;

  private final Wiring wiring;

  StatusView(Wiring wiring) {
    this.wiring = wiring;
  }

  List<String> lines() throws SQLException, JsonProcessingException {
    if (wiring.isNew()) {
      return List.of(
          "there is no migration %s yet".formatted(wiring.spec().migration()),
          "next      reshard check, reshard plan, then reshard run");
    }
    ControlStore control = wiring.control();
    MigrationRecord stored = control.load().orElseThrow();
    Optional<String> holder = holder();
    JsonNode report = report(control);
    List<String> lines = new ArrayList<>();
    lines.add("%s   %s".formatted(stored.name(), stored.state()));
    lines.add(line("worker", holder.orElse("nobody works on it")));
    lines.add(line("map", map(wiring.map())));
    for (JsonNode copy : report.path("copy")) {
      lines.add(line("copy", copy(copy)));
    }
    for (JsonNode lane : report.path("lanes")) {
      lines.add(
          line(
              "lane",
              "%s > %s  lag %d ms, %d rows applied, %s"
                  .formatted(
                      lane.path("source").asText(),
                      lane.path("destination").asText(),
                      lane.path("lag_ms").asLong(),
                      lane.path("rows").asLong(),
                      lane.path("state").asText().toLowerCase(java.util.Locale.ROOT))));
    }
    for (StageUnit unit : stored.units()) {
      lines.add(line("unit", "%s  %s".formatted(unit, unit.place())));
    }
    lines.add(line("verified", verified(stored)));
    lines.add(line("blocks", blocks(stored.state(), holder, report)));
    lines.add(line("next", next(stored, holder)));
    for (Transition transition : control.transitions(TRANSITIONS)) {
      lines.add(
          line(
              TIME.format(transition.at()),
              "%s > %s  %s (%s)"
                  .formatted(
                      transition.from(), transition.to(), transition.why(), transition.who())));
    }
    return lines;
  }

  private static String line(String name, String text) {
    return "%-9s %s".formatted(name, text);
  }

  private Optional<String> holder() throws SQLException {
    try (WorkerLease lease =
        new WorkerLease(wiring.sessions(), wiring.spec().control(), wiring.spec().migration())) {
      return lease.holder();
    }
  }

  /** What the worker said last; nothing if that is older than a worker may be silent. */
  private static JsonNode report(ControlStore control)
      throws SQLException, JsonProcessingException {
    ObjectMapper json = new ObjectMapper();
    Optional<ControlStore.Report> report = control.report();
    Duration fresh = WorkerLease.TTL;
    return report.isPresent() && report.get().ageMs() < fresh.toMillis()
        ? json.readTree(report.get().json())
        : json.createObjectNode();
  }

  private static String map(ShardMap map) {
    return "epoch %d: ".formatted(map.epoch())
        + map.byShard().entrySet().stream()
            .map(e -> "%s %d".formatted(e.getKey(), e.getValue().size()))
            .collect(Collectors.joining(", "));
  }

  private static String copy(JsonNode copy) {
    long total = Math.max(1, copy.path("total_blocks").asLong());
    List<String> rows = new ArrayList<>();
    for (Map.Entry<String, JsonNode> e : copy.path("rows").properties()) {
      rows.add("%d rows to %s".formatted(e.getValue().asLong(), e.getKey()));
    }
    return "%s %s  %d %%  %s"
        .formatted(
            copy.path("source").asText(),
            copy.path("table").asText(),
            Math.min(100, 100 * copy.path("blocks").asLong() / total),
            String.join(", ", rows));
  }

  private static String verified(MigrationRecord stored) throws JsonProcessingException {
    if (stored.verification().isEmpty()) {
      return "not yet";
    }
    JsonNode result = new ObjectMapper().readTree(stored.verification().get());
    return "%d rows, %d differ"
        .formatted(result.path("rows").asLong(), result.path("differing").asLong());
  }

  private static String blocks(MigrationState state, Optional<String> holder, JsonNode report) {
    List<String> blocks = new ArrayList<>();
    if (holder.isEmpty() && !state.next().isEmpty()) {
      blocks.add("no worker is alive");
    }
    report.path("troubles").forEach(trouble -> blocks.add(trouble.asText()));
    return blocks.isEmpty() ? "nothing" : String.join("; ", blocks);
  }

  private static String next(MigrationRecord stored, Optional<String> holder) {
    if (holder.isEmpty() && !stored.state().next().isEmpty()) {
      return "reshard run";
    }
    String step = stored.state().nextStep();
    return step.isEmpty() ? "wait: the worker is busy" : step;
  }
}
