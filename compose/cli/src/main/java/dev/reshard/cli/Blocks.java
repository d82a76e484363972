package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.WorkerLease;
import dev.reshard.preflight.Clause;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What is in the way, each in one text that says what to do about it. Pure. */
final class Blocks {
  private static final long GATES_STALE_MS = 5_000;

  private Blocks() {}

  static List<String> of(StatusFacts facts) {
    if (facts.stored().isEmpty() || facts.state().next().isEmpty()) {
      return List.of();
    }
    Set<String> blocks = new LinkedHashSet<>();
    addWorker(facts, blocks);
    addState(facts, blocks);
    WorkerReport report = facts.report();
    blocks.addAll(report.troubles());
    report.captures().stream()
        .filter(capture -> !capture.reason().isEmpty())
        .map(capture -> "capture of %s: %s".formatted(capture.shard(), capture.reason()))
        .filter(text -> isNews(blocks, text))
        .toList()
        .forEach(blocks::add);
    report.lanes().stream()
        .filter(lane -> !lane.reason().isEmpty())
        .map(lane -> "lane %s > %s: %s".formatted(lane.source(), lane.destination(), lane.reason()))
        .filter(text -> isNews(blocks, text))
        .toList()
        .forEach(blocks::add);
    addWal(facts, blocks);
    addGates(report, blocks);
    return List.copyOf(blocks);
  }

  /** A service names its first trouble itself. */
  private static boolean isNews(Set<String> blocks, String text) {
    String reason = text.substring(text.indexOf(": ") + 2);
    return blocks.stream().noneMatch(known -> known.contains(reason));
  }

  private static void addWorker(StatusFacts facts, Set<String> blocks) {
    MigrationState state = facts.state();
    if (facts.holder().isPresent()) {
      boolean silent = facts.said().isEmpty() || !facts.said().get().isFresh();
      if (silent) {
        blocks.add(
            "the worker has not reported for %s; look at its log, or stop it: another one takes over where it was"
                .formatted(
                    facts
                        .said()
                        .map(said -> Quantity.millis(said.ageMs()))
                        .orElse("as long as it lives")));
      }
      return;
    }
    String effect =
        switch (state) {
          case CUTTING_OVER, ROLLING_BACK ->
              "a fence ends by itself, but buckets that were decided take no writes until a worker opens them";
          case CATCHING_UP, READY_FOR_CUTOVER, COMPLETED, ROLLED_BACK, COPYING ->
              "nothing is replicated, and the shards keep their WAL";
          case PENDING, PREPARING, PAUSED, FAILED, CLEANING_UP, CANCELLED, CLEANED ->
              "nothing goes on";
        };
    blocks.add(
        "no worker is alive%s: %s. Start '%s'"
            .formatted(
                facts
                    .said()
                    .filter(said -> said.ageMs() > WorkerLease.TTL.toMillis())
                    .map(said -> " for " + Quantity.millis(said.ageMs()))
                    .orElse(""),
                effect,
                facts.command("run")));
  }

  private static void addState(StatusFacts facts, Set<String> blocks) {
    String why = facts.entered().map(entered -> entered.why()).orElse("unknown");
    String who = facts.entered().map(entered -> entered.who()).orElse("unknown");
    if (facts.state() == MigrationState.PAUSED) {
      blocks.add(
          "%s paused it (%s): nothing is %s. '%s' ends the pause"
              .formatted(
                  who.equals("worker") ? "the worker" : who,
                  why,
                  facts.beforePause().filter(MigrationState::replicates).isPresent()
                      ? "applied; changes go on into Kafka"
                      : "worked on",
                  facts.command("resume")));
    } else if (facts.state() == MigrationState.FAILED) {
      blocks.add("it failed: " + why);
    }
  }

  private static void addWal(StatusFacts facts, Set<String> blocks) {
    for (StatusFacts.HeldWal wal : facts.wal()) {
      if (!wal.problem().isEmpty()) {
        blocks.add(
            "shard %s: %s; so nobody knows how much WAL it keeps. Look whether it is up"
                .formatted(wal.shard(), Clause.of(wal.problem())));
      } else if (wal.lost()) {
        blocks.add(
            "shard %s has removed WAL that replication slot %s needed: what is missing can never be read. Raise max_slot_wal_keep_size there, then cancel and begin again"
                .formatted(wal.shard(), wal.slot()));
      }
    }
  }

  private static void addGates(WorkerReport report, Set<String> blocks) {
    if (!report.gates().isEmpty() && report.gatesAgeMs() > GATES_STALE_MS) {
      blocks.add(
          "the gates were looked at %s ago: a shard is slow to answer; wait, or look at the shards"
              .formatted(Quantity.millis(report.gatesAgeMs())));
    }
    for (WorkerReport.GateSeen gate : report.gates()) {
      if (!gate.open()) {
        blocks.add(
            "gate %s: %s, must be %s%s"
                .formatted(
                    gate.name(),
                    gate.value(),
                    Clause.of(gate.limit()),
                    gate.remedy().isEmpty() ? "" : "; " + gate.remedy()));
      }
    }
  }
}
