package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.Requests;
import dev.reshard.control.StageUnit;
import java.util.List;
import java.util.Optional;

/**
 * All of the status as one JSON object, for programs. A field's name and meaning do not change
 * within a version; every field is always there. Times are ISO 8601, UTC. Pure.
 */
final class StatusJson {
  /** The version of these fields. */
  static final int VERSION = 1;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** What is taken over from the worker's report, where it is always a list. */
  private static final List<String> REPORTED =
      List.of("copy", "copy_sources", "throttle", "lanes", "captures", "gates", "troubles");

  private StatusJson() {}

  static String of(StatusFacts facts) {
    ObjectNode json = JSON.createObjectNode();
    json.put("version", VERSION);
    json.put("migration", facts.migration());
    json.put("state", facts.stored().map(stored -> stored.state().name()).orElse(null));
    json.put("since", facts.entered().map(entered -> entered.at().toString()).orElse(null));
    json.put("state_before_pause", facts.beforePause().map(Enum::name).orElse(null));
    json.put("read_at", facts.now().toString());
    ObjectNode worker = json.putObject("worker");
    worker.put("alive", facts.holder().isPresent());
    worker.put("holder", facts.holder().orElse(null));
    worker.put("report_age_ms", facts.said().map(StatusFacts.Said::ageMs).orElse(null));
    putMap(json.putObject("map"), facts);
    JsonNode report =
        facts
            .said()
            .filter(StatusFacts.Said::isFresh)
            .map(StatusFacts.Said::json)
            .orElse(JSON.createObjectNode());
    for (String name : REPORTED) {
      JsonNode list = report.path(name);
      json.set(name, list.isArray() ? list : JSON.createArrayNode());
    }
    json.set("shadow", report.has("shadow") ? report.get("shadow") : JSON.nullNode());
    ArrayNode wal = json.putArray("wal");
    facts.wal().forEach(held -> putWal(wal.addObject(), held, facts.report()));
    putStored(json, facts);
    ArrayNode asked = json.putArray("asked");
    facts.asked().forEach(request -> putAsked(asked.addObject(), request));
    Blocks.of(facts).forEach(json.putArray("blocks")::add);
    NextStep.of(facts).forEach(json.putArray("next")::add);
    ArrayNode transitions = json.putArray("transitions");
    facts.transitions().forEach(transition -> putTransition(transitions.addObject(), transition));
    return json.toString();
  }

  private static void putMap(ObjectNode json, StatusFacts facts) {
    json.put("stored", facts.mapIsStored());
    json.put("epoch", facts.map().epoch());
    ObjectNode buckets = json.putObject("buckets");
    facts.map().byShard().forEach((shard, owned) -> buckets.put(shard.name(), owned.size()));
  }

  private static void putWal(ObjectNode json, StatusFacts.HeldWal held, WorkerReport report) {
    json.put("shard", held.shard().name());
    json.put("replication_slot", held.slot());
    json.put("bytes", held.problem().isEmpty() ? held.bytes() : null);
    Optional<WorkerReport.WalUse> use =
        report.wal().stream().filter(u -> u.shard().equals(held.shard().name())).findFirst();
    json.put("limit", use.map(WorkerReport.WalUse::limit).filter(is -> is >= 0).orElse(null));
    json.put(
        "full_in_s",
        use.map(WorkerReport.WalUse::fullInSeconds).filter(is -> is >= 0).orElse(null));
    json.put("active", held.active());
    json.put("lost", held.lost());
    json.put("problem", held.problem().isEmpty() ? null : held.problem());
  }

  private static void putStored(ObjectNode json, StatusFacts facts) {
    ArrayNode units = json.putArray("units");
    facts.stored().map(MigrationRecord::units).orElse(List.of()).stream()
        .forEach(unit -> putUnit(units.addObject(), unit));
    json.set(
        "verification",
        facts
            .stored()
            .flatMap(MigrationRecord::verification)
            .map(StatusJson::parse)
            .orElse(JSON.nullNode()));
  }

  private static void putUnit(ObjectNode json, StageUnit unit) {
    json.put("source", unit.source().name());
    json.put("destination", unit.destination().name());
    json.put("place", unit.place().name());
    json.put("direction", unit.direction().name());
    json.put("attempt", unit.attempt());
    json.put("epoch", unit.epoch());
  }

  private static void putAsked(ObjectNode json, Requests.Open request) {
    json.put("command", request.command().name());
    json.put("who", request.who());
    json.put("at", request.asked().toString());
    json.put("said", request.said());
  }

  private static void putTransition(ObjectNode json, Transition transition) {
    json.put("at", transition.at().toString());
    json.put("from", transition.from().name());
    json.put("to", transition.to().name());
    json.put("who", transition.who());
    json.put("why", transition.why());
  }

  private static JsonNode parse(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the control database holds JSON only", e);
    }
  }
}
