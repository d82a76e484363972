package dev.reshard.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * What a worker says of itself a few times a second, as far as the status shows it. Immutable.
 *
 * @param throttles what holds work on a shard's rows back now
 * @param wal what may be kept, and when that will be used up
 * @param gatesAgeMs how long ago the gates were looked at
 * @param troubles what is wrong and what to do, each in one text
 */
record WorkerReport(
    List<Copy> tables,
    List<Copy> sources,
    List<Held> throttles,
    List<Lane> lanes,
    List<Capture> captures,
    List<WalUse> wal,
    List<GateSeen> gates,
    long gatesAgeMs,
    List<String> troubles) {

  /** Nothing is known. */
  static final WorkerReport NONE =
      new WorkerReport(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), 0,
          List.of());

  /**
   * How far a table of a source, or a source, has come.
   *
   * @param table empty: all of the source's
   * @param blocks pages of 8 KiB that were read
   * @param rows that were sent; 0 for a source
   * @param etaSeconds -1: nobody can know yet
   */
  record Copy(
      String source,
      String table,
      long blocks,
      long totalBlocks,
      long rows,
      long bytesPerSecond,
      long etaSeconds,
      long idleSeconds) {
    boolean isDone() {
      return blocks >= totalBlocks;
    }

    long percent() {
      return totalBlocks == 0 ? 100 : Math.min(100, 100 * blocks / totalBlocks);
    }
  }

  /**
   * Replication from one shard to another.
   *
   * @param lagMs empty before the first change was applied
   */
  record Lane(
      String source,
      String destination,
      String state,
      OptionalLong lagMs,
      long rows,
      String reason) {
    boolean isRunning() {
      return state.equals("RUNNING");
    }

    boolean isStopped() {
      return state.equals("STOPPED");
    }

    /** One that knows no lag yet counts as the slowest. */
    long slowness() {
      return lagMs.orElse(Long.MAX_VALUE);
    }
  }

  /** A shard whose copy, comparison or purge is held back, by a text that says how far and why. */
  record Held(String source, String limit) {}

  /**
   * The WAL that a shard may keep for our replication slot.
   *
   * @param limit in bytes; -1: there is none
   * @param fullInSeconds -1: it does not grow
   */
  record WalUse(String shard, long limit, long fullInSeconds) {}

  /** One shard's changes on their way to Kafka. */
  record Capture(String shard, String state, String reason) {}

  /** A gate and what was seen. */
  record GateSeen(String name, boolean open, String value, String limit, String remedy) {}

  static WorkerReport of(JsonNode json) {
    return new WorkerReport(
        list(json.path("copy"), WorkerReport::copy),
        list(json.path("copy_sources"), WorkerReport::copy),
        list(json.path("throttle"), line -> new Held(text(line, "source"), text(line, "limit"))),
        list(json.path("lanes"), WorkerReport::lane),
        list(
            json.path("captures"),
            line -> new Capture(text(line, "shard"), text(line, "state"), text(line, "reason"))),
        list(
            json.path("wal"),
            line ->
                new WalUse(
                    text(line, "shard"),
                    line.path("limit").asLong(-1),
                    line.path("full_in_s").asLong(-1))),
        list(
            json.path("gates"),
            line ->
                new GateSeen(
                    text(line, "name"),
                    line.path("open").asBoolean(),
                    text(line, "value"),
                    text(line, "limit"),
                    text(line, "remedy"))),
        json.path("gates_age_ms").asLong(),
        list(json.path("troubles"), JsonNode::asText));
  }

  private static Copy copy(JsonNode line) {
    long rows = 0;
    for (Map.Entry<String, JsonNode> shard : line.path("rows").properties()) {
      rows += shard.getValue().asLong();
    }
    return new Copy(
        text(line, "source"),
        text(line, "table"),
        line.path("blocks").asLong(),
        line.path("total_blocks").asLong(),
        rows,
        line.path("bytes_per_s").asLong(),
        line.path("eta_s").asLong(-1),
        line.path("idle_s").asLong());
  }

  private static Lane lane(JsonNode line) {
    JsonNode lag = line.path("lag_ms");
    return new Lane(
        text(line, "source"),
        text(line, "destination"),
        text(line, "state"),
        lag.isIntegralNumber() ? OptionalLong.of(lag.asLong()) : OptionalLong.empty(),
        line.path("rows").asLong(),
        text(line, "reason"));
  }

  private static String text(JsonNode line, String field) {
    return line.path(field).asText("");
  }

  private static <T> List<T> list(JsonNode lines, Function<JsonNode, T> read) {
    List<T> result = new ArrayList<>();
    lines.forEach(line -> result.add(read.apply(line)));
    return List.copyOf(result);
  }
}
