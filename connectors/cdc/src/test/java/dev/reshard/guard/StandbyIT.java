package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.postgres.Lsn;
import dev.reshard.sandbox.SandboxRole;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;

/** HAZARDS F18: a failover must not lose what was decided. The standby speaks the real protocol. */
@Timeout(60)
class StandbyIT {
  private static final Duration SHORT = Duration.ofMillis(50);
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void withoutAStandbyNothingIsWaitedFor() throws SQLException {
    try (GuardedShard a = GuardedShard.withOrders()) {
      assertEquals(List.of(), Guard.awaitStandbys(a.ours, LONG));
    }
  }

  @Test
  void aStandbyThatHasNotFlushedTheSealIsWaitedForAndNamed() throws Exception {
    try (GuardedShard a = GuardedShard.withOrders();
        Standby standby = new Standby(a)) {
      a.fence(1);
      a.guard.seal(a.ours, 1, 2);
      assertEquals(
          List.of("standby"),
          Guard.awaitStandbys(a.ours, SHORT).stream()
              .map(name -> name.replaceFirst(" at .*", ""))
              .toList());
      CompletableFuture<List<String>> waiting =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return Guard.awaitStandbys(a.ours, LONG);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      while (!waiting.isDone()) {
        standby.flush(Lsn.parse(a.shard.query("SELECT pg_current_wal_flush_lsn()").get(0)));
      }
      assertEquals(List.of(), waiting.get());
    }
  }

  /** A walreceiver that reports as flushed what the test says. */
  private static final class Standby implements AutoCloseable {
    private final Connection connection;
    private final PGReplicationStream stream;

    Standby(GuardedShard a) throws SQLException {
      Properties properties = new Properties();
      properties.setProperty("user", SandboxRole.RESHARD.user());
      properties.setProperty("password", SandboxRole.RESHARD.password());
      PGProperty.REPLICATION.set(properties, "true");
      PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
      PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
      PGProperty.APPLICATION_NAME.set(properties, "standby");
      connection = DriverManager.getConnection(a.shard.url(), properties);
      LogSequenceNumber start =
          LogSequenceNumber.valueOf(a.shard.query("SELECT pg_current_wal_flush_lsn()").get(0));
      stream =
          connection
              .unwrap(PGConnection.class)
              .getReplicationAPI()
              .replicationStream()
              .physical()
              .withStartPosition(start)
              .start();
      report(start);
      while (a.shard
          .query(
              "SELECT 1 FROM pg_stat_replication WHERE replay_lsn IS NOT NULL AND state = 'streaming'")
          .isEmpty()) {
        report(start);
      }
    }

    void flush(Lsn position) throws SQLException {
      report(LogSequenceNumber.valueOf(position.toString()));
    }

    private void report(LogSequenceNumber position) throws SQLException {
      while (stream.readPending() != null) {
        // only positions matter here
      }
      stream.setFlushedLSN(position);
      stream.setAppliedLSN(position);
      stream.forceUpdateStatus();
    }

    @Override
    public void close() throws SQLException {
      stream.close();
      connection.close();
    }
  }
}
