package dev.reshard.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.cli.StatusFacts.Said;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.ControlStore;
import dev.reshard.control.MigrationRecord;
import dev.reshard.control.WorkerLease;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.routing.StoredMap;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Reads what the status shows; changes nothing. Confined to one thread. */
final class StatusReader implements AutoCloseable {
  private static final int TRANSITIONS = 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Wiring wiring;
  private final String options;
  private final WorkerLease lease;
  private final WalReader wal;

  /**
   * Opens nothing yet.
   *
   * @param options what an operator adds to each command: {@code -f FILE}, or nothing
   */
  StatusReader(Wiring wiring, String options) {
    this.wiring = wiring;
    this.options = options;
    this.lease =
        new WorkerLease(wiring.sessions(), wiring.spec().control(), wiring.spec().migration());
    this.wal = new WalReader(wiring.sessions());
  }

  /**
   * Reads once.
   *
   * @throws SQLException if the control database does not answer
   */
  StatusFacts read() throws SQLException, InterruptedException, JsonProcessingException {
    Optional<StoredMap> map = wiring.planning().stored();
    ShardMap owners = map.isPresent() ? map.get().map() : wiring.planning().map();
    Optional<MigrationRecord> stored = wiring.isNew() ? Optional.empty() : wiring.control().load();
    if (stored.isEmpty()) {
      return new StatusFacts(
          wiring.spec().migration(),
          options,
          Instant.now(),
          stored,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          owners,
          map.isPresent(),
          List.of(),
          List.of(),
          List.of());
    }
    ControlStore control = wiring.control();
    return new StatusFacts(
        wiring.spec().migration(),
        options,
        Instant.now(),
        stored,
        control.stateBeforePause(),
        lease.holder(),
        said(control),
        owners,
        map.isPresent(),
        wal.read(
            control.registry().items().stream()
                .filter(item -> item.kind() == Kind.REPLICATION_SLOT)
                .toList()),
        control.requests().open(),
        control.transitions(TRANSITIONS));
  }

  private static Optional<Said> said(ControlStore control)
      throws SQLException, JsonProcessingException {
    Optional<ControlStore.Report> report = control.report();
    return report.isEmpty()
        ? Optional.empty()
        : Optional.of(new Said(JSON.readTree(report.get().json()), report.get().ageMs()));
  }

  @Override
  public void close() throws SQLException {
    wal.close();
    lease.close();
  }
}
