package dev.reshard.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.cli.Wiring;
import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.Moves;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** Watches the worker as {@code reshard status} does, and draws what it sees. One thread. */
final class DemoProgress {
  private static final long LOOK_MS = 100;
  private static final int BAR = 20;
  private static final int LOG = 20;

  private final Wiring wiring;
  private final DemoScreen screen;
  private final CompletableFuture<Integer> worker;
  private final Map<String, Long> rows = new TreeMap<>();
  private final Set<String> moving;

  DemoProgress(Wiring wiring, DemoScreen screen, CompletableFuture<Integer> worker, Moves moves) {
    this.wiring = wiring;
    this.screen = screen;
    this.worker = worker;
    this.moving =
        moves.all().stream()
            .map(move -> "%s > %s".formatted(move.source(), move.destination()))
            .collect(Collectors.toSet());
  }

  /**
   * Waits for a state.
   *
   * @throws DemoStoppedException if the worker ends before, or the time is over
   */
  void until(MigrationState wanted, Duration limit) throws Exception {
    long deadline = System.nanoTime() + limit.toNanos();
    MigrationState shown = null;
    while (System.nanoTime() < deadline) {
      requireWorker();
      Optional<MigrationRecord> stored =
          wiring.isNew() ? Optional.empty() : wiring.control().load();
      if (stored.isPresent()) {
        MigrationState state = stored.get().state();
        show(state, report());
        if (state != shown && shown == MigrationState.COPYING) {
          copied();
        }
        shown = state;
        if (state == wanted) {
          caughtUp(reportOfLanes());
          return;
        }
      }
      Thread.sleep(LOOK_MS); // the next look
    }
    throw new DemoStoppedException("the demo stops: not %s after %s".formatted(wanted, limit));
  }

  private void requireWorker() throws Exception {
    if (worker.isDone()) {
      throw new DemoStoppedException(
          "the demo stops: the worker ended with exit code %d; see above, and the log"
              .formatted(worker.get()));
    }
  }

  private JsonNode report() throws Exception {
    Optional<ControlStore.Report> report = wiring.control().report();
    ObjectMapper json = new ObjectMapper();
    return report.isPresent() ? json.readTree(report.get().json()) : json.createObjectNode();
  }

  /** The worker tells of its lanes a few times a second; right after their start it has not yet. */
  private JsonNode reportOfLanes() throws Exception {
    JsonNode report = report();
    while (report.path("lanes").isEmpty() || hasUnknownLag(report)) {
      requireWorker();
      Thread.sleep(LOOK_MS); // the next look
      report = report();
    }
    return report;
  }

  private static boolean hasUnknownLag(JsonNode report) {
    for (JsonNode lane : report.path("lanes")) {
      if (!lane.path("lag_ms").isNumber()) {
        return true;
      }
    }
    return false;
  }

  private void show(MigrationState state, JsonNode report) {
    long blocks = 0;
    long total = 0;
    for (JsonNode table : report.path("copy")) {
      blocks += table.path("blocks").asLong();
      total += table.path("total_blocks").asLong();
      for (Map.Entry<String, JsonNode> to : table.path("rows").properties()) {
        rows.put(
            table.path("source").asText()
                + " > "
                + to.getKey()
                + "/"
                + table.path("table").asText(),
            to.getValue().asLong());
      }
    }
    if (state == MigrationState.COPYING) {
      screen.moving(
          "reshard run",
          "copy  %s %3d %%   %s rows"
              .formatted(bar(blocks, total), percent(blocks, total), Demo.number(rowsCopied())));
    } else {
      screen.moving(
          "reshard run", state.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
    }
  }

  /** By the transition log, so that it is the worker's time and not this screen's. */
  private double copySeconds() throws Exception {
    Instant from = Instant.EPOCH;
    Instant to = Instant.now();
    for (ControlStore.Transition transition : wiring.control().transitions(LOG)) {
      if (transition.to() == MigrationState.COPYING) {
        from = transition.at();
      } else if (transition.from() == MigrationState.COPYING) {
        to = transition.at();
      }
    }
    return Duration.between(from, to).toMillis() / 1e3;
  }

  private void copied() throws Exception {
    Map<String, Long> byPair = new TreeMap<>();
    rows.forEach(
        (key, count) -> byPair.merge(key.substring(0, key.indexOf('/')), count, Long::sum));
    double seconds = copySeconds();
    String label = "reshard run";
    for (Map.Entry<String, Long> pair : byPair.entrySet()) {
      screen.line(
          label,
          "copy %s  %s 100 %%   %s rows   %s"
              .formatted(
                  pair.getKey(),
                  bar(1, 1),
                  Demo.number(pair.getValue()),
                  moving.contains(pair.getKey())
                      ? Demo.number(Math.round(pair.getValue() / seconds / 100) * 100) + " rows/s"
                      : "(reference tables)"));
      label = "";
    }
  }

  private void caughtUp(JsonNode report) {
    long lag = 0;
    long applied = 0;
    for (JsonNode lane : report.path("lanes")) {
      lag = Math.max(lag, lane.path("lag_ms").asLong());
      applied += lane.path("rows").asLong();
    }
    screen.line(
        "",
        "caught up: %s changes applied, lag %d ms. The way back is armed and running"
            .formatted(Demo.number(applied), lag));
  }

  /** The line about dual reads, once there are some. */
  void dualReads() throws Exception {
    JsonNode shadow = report().path("shadow");
    if (!shadow.isMissingNode()) {
      screen.line(
          "",
          "%s dual reads: %d mismatches (below %.2f %%, 95 %% sure)"
              .formatted(
                  Demo.number(shadow.path("reads").asLong()),
                  shadow.path("mismatches").asLong(),
                  shadow.path("upper_bound").asDouble() * 100));
    }
  }

  long rowsCopied() {
    return rows.values().stream().mapToLong(Long::longValue).sum();
  }

  long changesApplied() throws Exception {
    long applied = 0;
    for (JsonNode lane : report().path("lanes")) {
      applied += lane.path("rows").asLong();
    }
    return applied;
  }

  private String bar(long done, long total) {
    int full = (int) (BAR * Math.min(1, total == 0 ? 0 : (double) done / total));
    return screen.isTerminal()
        ? "█".repeat(full) + "░".repeat(BAR - full)
        : "#".repeat(full) + ".".repeat(BAR - full);
  }

  private static long percent(long done, long total) {
    return total == 0 ? 0 : Math.min(100, 100 * done / total);
  }
}
