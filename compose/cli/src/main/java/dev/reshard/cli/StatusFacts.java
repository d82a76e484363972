package dev.reshard.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import dev.reshard.control.WorkerLease;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that the status is made of, read at one time. Immutable.
 *
 * @param migration the file's; NAME in its commands
 * @param options what a command of this file takes beside its name: {@code -f FILE}, or nothing
 * @param stored empty: nobody has begun the migration
 * @param beforePause the state that it was paused in; empty if it is not paused
 * @param holder the living worker
 * @param said the worker's last report
 * @param mapIsStored else it is the one of the file
 * @param wal what our replication slots keep
 * @param asked requests that wait or are being carried out
 * @param transitions the newest first
 */
record StatusFacts(
    String migration,
    String options,
    Instant now,
    Optional<MigrationRecord> stored,
    Optional<MigrationState> beforePause,
    Optional<String> holder,
    Optional<Said> said,
    ShardMap map,
    boolean mapIsStored,
    List<HeldWal> wal,
    List<Requests.Open> asked,
    List<Transition> transitions) {

  /** A worker's report and its age. */
  record Said(JsonNode json, long ageMs) {
    boolean isFresh() {
      return ageMs < WorkerLease.TTL.toMillis();
    }
  }

  /**
   * The WAL that one of our replication slots makes its shard keep.
   *
   * @param bytes 0 if there is no such slot, or the shard does not tell
   * @param active somebody streams from it
   * @param lost its WAL is gone: what follows can never be read
   * @param problem why nothing is known; empty if all is
   */
  record HeldWal(
      ShardId shard, String slot, long bytes, boolean active, boolean lost, String problem) {}

  StatusFacts {
    wal = List.copyOf(wal);
    asked = List.copyOf(asked);
    transitions = List.copyOf(transitions);
  }

  /** What the worker says now; nothing if that is older than a worker may be silent. */
  WorkerReport report() {
    return said.filter(Said::isFresh).map(s -> WorkerReport.of(s.json())).orElse(WorkerReport.NONE);
  }

  /** The state; only of a stored migration. */
  MigrationState state() {
    return stored.orElseThrow().state();
  }

  /** The transition that led into the state; empty in the first. */
  Optional<Transition> entered() {
    return transitions.stream().findFirst();
  }

  /** A command line about this file: {@code reshard verify -f shop.yaml}. */
  String command(String name) {
    return "reshard " + name + options;
  }

  /** One that names the migration, so that it cannot hit another. */
  String named(String name) {
    return "reshard " + name + " " + migration + options;
  }
}
