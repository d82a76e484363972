package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.ChangeReader;
import dev.reshard.change.ChangeReader.Position;
import dev.reshard.change.RowChange;
import dev.reshard.change.Transaction;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.sandbox.SandboxPostgres;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.TcpProxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;

/** Promise 3 under failures: nothing is lost, and a reader gets each transaction once, in order. */
@Timeout(240)
class CaptureRestartIT {

  /** Commits {@code count} transactions of two rows each, ids 1, 2, .. in order of commit. */
  private static CompletableFuture<Void> writeInBackground(CaptureRig rig, int count) {
    return CompletableFuture.runAsync(
        () -> {
          try (Connection connection = rig.shard.connect(SandboxRole.APP);
              PreparedStatement insert =
                  connection.prepareStatement("INSERT INTO orders VALUES (?, 1, ?)")) {
            connection.setAutoCommit(false);
            for (int i = 1; i <= count; i++) {
              for (int row = 0; row < 2; row++) {
                insert.setLong(1, 2L * i - 1 + row);
                insert.setString(2, "n".repeat(i % 50 == 0 ? 40_000 : 100));
                insert.executeUpdate();
              }
              connection.commit();
            }
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** Reads until {@code count} transactions of two rows came, each whole, once and in order. */
  private static Position assertAllArrive(ChangeReader reader, int count) {
    Position position = null;
    List<String> ids = new ArrayList<>();
    while (ids.size() < 2 * count) {
      Transaction transaction = CaptureRig.next(reader);
      assertEquals(2, transaction.changes().size());
      transaction.changes().forEach(change -> ids.add(change.values()[0]));
      position = Position.after(transaction);
    }
    assertEquals(IntStream.rangeClosed(1, 2 * count).mapToObj(Integer::toString).toList(), ids);
    return position;
  }

  @Test
  void closedAndStartedAgainLosesNothing() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      CompletableFuture<Void> writer = writeInBackground(rig, 2_000);
      ChangeReader reader = rig.reader();
      for (int i = 0; i < 3; i++) {
        Capture capture = rig.startCapture();
        assertTrue(reader.next(Duration.ofSeconds(60)).isPresent());
        capture.close();
        capture.close();
        assertEquals(CaptureStatus.State.CLOSED, capture.status().state());
        assertThrows(IllegalStateException.class, capture::start);
      }
      rig.startCapture();
      writer.join();
      try (ChangeReader fresh = rig.reader()) {
        assertAllArrive(fresh, 2_000);
      }
    }
  }

  /** A network that lost its memory of the stream says neither what comes nor that it has ended. */
  @Test
  @Tag("matrix")
  void aStreamWhoseEndNobodyWasToldOfMakesANewIncarnation()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders();
        TcpProxy proxy = TcpProxy.to(rig.shard.server())) {
      Capture capture = rig.startCaptureThrough(proxy);
      writeInBackground(rig, 1).join();
      ChangeReader reader = rig.reader();
      assertEquals("1", CaptureRig.next(reader).changes().get(0).values()[0]);
      proxy.forget();
      rig.shard.query(
          "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '%s'"
              .formatted(rig.source.slot()));
      rig.shard.execute("INSERT INTO orders VALUES (3, 1, 'n')");
      assertEquals("3", CaptureRig.next(reader).changes().get(0).values()[0]);
      assertEquals(2, capture.status().incarnation());
    }
  }

  @Test
  void aKilledSessionMakesANewIncarnationThatLosesNothing()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      Capture capture = rig.startCapture();
      CompletableFuture<Void> writer = writeInBackground(rig, 4_000);
      for (int i = 1; i <= 3; i++) {
        int incarnation = i;
        CaptureRig.await(
            "incarnation %d publishes".formatted(i),
            () ->
                capture.status().incarnation() >= incarnation
                    && capture.status().publishedAt().isPresent());
        rig.shard.query(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '%s'"
                .formatted(rig.source.slot()));
        CaptureRig.await(
            "another incarnation begins", () -> capture.status().incarnation() > incarnation);
      }
      writer.join();
      Position end = assertAllArrive(rig.reader(), 4_000);
      // the writer may have ended before the last session was killed
      assertTrue(end.incarnation() >= 2, "incarnation " + end.incarnation());
      CaptureRig.await(
          "it streams", () -> capture.status().state() == CaptureStatus.State.STREAMING);
    }
  }

  /** The number is drawn behind the session, which takes the shard over, and before the slot. */
  @Test
  void aCaptureThatGetsNoNumberHasASessionAndEndsNobodysStream() throws Exception {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      Capture works = rig.startCapture();
      CaptureRig.await("it streams", () -> works.status().state() == CaptureStatus.State.STREAMING);
      AtomicLong sessions = new AtomicLong();
      Capture late =
          rig.startCapture(
              () -> {
                sessions.set(captureSessions(rig));
                throw new IllegalStateException("the lease is lost");
              },
              Capture.KAFKA_IS_ENOUGH);
      CaptureRig.await("it is refused", () -> late.status().reason().contains("lease is lost"));
      assertEquals(1, sessions.get(), "sessions beside the stream");
      late.close();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1, 'still read')");
      assertEquals(1, CaptureRig.next(rig.reader()).incarnation());
      assertEquals(CaptureStatus.State.STREAMING, works.status().state());
      assertEquals(1, works.status().incarnation());
    }
  }

  /** Those that do not replicate. */
  private static long captureSessions(CaptureRig rig) {
    try {
      return Long.parseLong(
          rig.shard
              .query(
                  "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reshard test capture' AND backend_type = 'client backend' AND datname = current_database()")
              .get(0));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** At the first start nothing is confirmed, so the second one sends all of it again. */
  @Test
  void whatWasNotConfirmedIsSentAgainAndTakenOnce() throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      writeInBackground(rig, 500).join();
      Capture first = rig.startCapture(() -> Lsn.ZERO);
      assertAllArrive(rig.reader(), 500);
      first.close();
      Capture second = rig.startCapture();
      CaptureRig.await("all is sent again", () -> second.status().publishedAt().isPresent());
      ChangeReader reader = rig.reader();
      assertAllArrive(reader, 500);
      rig.inTransaction("INSERT INTO orders VALUES (10000, 1, 'next')");
      Transaction next = CaptureRig.next(reader);
      assertEquals("10000", next.changes().get(0).values()[0]);
      assertEquals(2, next.incarnation());
    }
  }

  /** F19: in a snapshot made at p is exactly what ends at or before p. */
  @Test
  void theEndOfATransactionSaysWhetherAnAnchorsSnapshotHoldsIt()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.startCapture();
      CompletableFuture<Void> writer = writeInBackground(rig, 3_000);
      record Seen(Lsn position, long rows) {}
      List<Seen> anchors = new ArrayList<>();
      while (!writer.isDone()) {
        try (Connection replication = rig.sessions.openReplication(rig.source.shard(), "test");
            Connection session = rig.sessions.open(rig.source.shard(), "test");
            Statement statement = session.createStatement()) {
          dev.reshard.postgres.Anchor anchor =
              ReplicationSlots.create(
                  replication,
                  rig.source.shard(),
                  rig.source.slot() + "_" + anchors.size(),
                  ReplicationSlots.Kind.TEMPORARY);
          session.setAutoCommit(false);
          statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
          statement.execute("SET TRANSACTION SNAPSHOT '%s'".formatted(anchor.snapshot()));
          try (java.sql.ResultSet row =
              statement.executeQuery("SELECT count(*) FROM public.orders")) {
            row.next();
            anchors.add(new Seen(anchor.position(), row.getLong(1)));
          }
        }
      }
      writer.join();
      ChangeReader reader = rig.reader();
      List<Lsn> ends = new ArrayList<>();
      while (ends.size() < 3_000) {
        ends.add(CaptureRig.next(reader).end());
      }
      assertTrue(anchors.size() > 1, anchors.size() + " anchors");
      for (Seen anchor : anchors) {
        long before = ends.stream().filter(end -> !end.isAfter(anchor.position())).count();
        assertEquals(anchor.rows(), 2 * before, "at " + anchor.position());
      }
    }
  }

  @Test
  void aDroppedSlotIsNamed() throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      Capture capture = rig.startCapture();
      CaptureRig.await("it streams", () -> capture.status().publishedAt().isPresent());
      try (Connection connection = rig.shard.connect(SandboxRole.SUPERUSER)) {
        ReplicationSlots.drop(connection, rig.source.slot());
      }
      assertEquals(CaptureException.Reason.SLOT_MISSING, CaptureRig.problem(capture));
      assertEquals(CaptureStatus.State.FAILED, capture.status().state());
    }
  }

  @Test
  void aSlotWhoseWalIsGoneIsNamed() throws SQLException, InterruptedException {
    try (SandboxPostgres server =
            SandboxPostgres.start(
                Map.of("max_slot_wal_keep_size", "16MB", "max_wal_size", "64MB"));
        SandboxKafka kafka = SandboxKafka.start();
        CaptureRig rig =
            new CaptureRig(
                SandboxShard.create("a", server, "app"), kafka, CaptureRig.ORDERS_TABLES)) {
      Capture capture = rig.startCapture(() -> Lsn.ZERO);
      CaptureRig.await("it streams", () -> capture.status().publishedAt().isPresent());
      for (int i = 0; i < 8; i++) {
        rig.shard.executeAsSuperuser("SELECT pg_switch_wal()");
        rig.inTransaction(
            "INSERT INTO orders SELECT %d * 1000 + i, 7, repeat(md5(i::text), 250) FROM generate_series(1, 900) i"
                .formatted(i));
        rig.shard.executeAsSuperuser("CHECKPOINT");
      }
      assertEquals(CaptureException.Reason.SLOT_LOST, CaptureRig.problem(capture));
    }
  }

  @Test
  @Tag("matrix")
  void aBrokerThatIsAwayLongerThanTheServerWaitsForAnAnswerLosesNothing()
      throws SQLException, InterruptedException {
    try (SandboxPostgres server = SandboxPostgres.start(Map.of("wal_sender_timeout", "2s"));
        SandboxKafka kafka = SandboxKafka.start();
        CaptureRig rig =
            new CaptureRig(
                SandboxShard.create("a", server, "app"), kafka, CaptureRig.ORDERS_TABLES)) {
      Capture capture = rig.startCapture();
      CaptureRig.await("it streams", () -> capture.status().publishedAt().isPresent());
      kafka.stop();
      // more than capture holds in memory, so that it has to stop reading
      String row = "repeat(md5(i::text), 1000)";
      for (int i = 0; i < 4; i++) {
        rig.inTransaction(
            "INSERT INTO orders SELECT %d * 1000 + i, 1, %s FROM generate_series(0, 999) i"
                .formatted(i, row));
      }
      Thread.sleep(6_000);
      kafka.restart();
      ChangeReader reader = rig.reader();
      for (int i = 0; i < 4; i++) {
        List<RowChange> changes = CaptureRig.next(reader).changes();
        assertEquals(1_000, changes.size());
        assertEquals(Integer.toString(i * 1000), changes.get(0).values()[0]);
      }
      assertEquals(Optional.empty(), capture.status().problem());
      assertEquals(1, capture.status().incarnation());
    }
  }

  /** A process that died without a word keeps its session until the server notices. */
  @Test
  void aSlotThatADeadProcessStillHoldsIsTakenOver() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders();
        Connection dead = rig.sessions.openReplication(rig.source.shard(), "dead")) {
      dead.unwrap(PGConnection.class)
          .getReplicationAPI()
          .replicationStream()
          .logical()
          .withSlotName(rig.source.slot())
          .withSlotOption("proto_version", 1)
          .withSlotOption("publication_names", rig.source.publication())
          .start();
      rig.startCapture();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1, 'a')");
      assertEquals(1, CaptureRig.next(rig.reader()).changes().size());
    }
  }

  @Test
  void aServerThatCrashesAndComesBackLosesNothing() throws SQLException, InterruptedException {
    try (SandboxPostgres server = SandboxPostgres.start();
        SandboxKafka kafka = SandboxKafka.start();
        CaptureRig rig =
            new CaptureRig(
                SandboxShard.create("a", server, "app"), kafka, CaptureRig.ORDERS_TABLES)) {
      Capture capture = rig.startCapture();
      writeInBackground(rig, 1_000).join();
      server.kill();
      server.restart();
      rig.inTransaction("INSERT INTO orders VALUES (2001, 1, 'x'), (2002, 1, 'x')");
      assertAllArrive(rig.reader(), 1_001);
      assertEquals(Optional.empty(), capture.status().problem());
    }
  }

  @Test
  void captureEndsAlsoWhileTheBrokerIsAway() throws SQLException, InterruptedException {
    try (SandboxPostgres server = SandboxPostgres.start();
        SandboxKafka kafka = SandboxKafka.start();
        CaptureRig rig =
            new CaptureRig(
                SandboxShard.create("a", server, "app"), kafka, CaptureRig.ORDERS_TABLES)) {
      Capture capture = rig.startCapture();
      CaptureRig.await("it streams", () -> capture.status().publishedAt().isPresent());
      kafka.stop();
      writeInBackground(rig, 100).join();
      capture.close();
      CaptureRig.await("its session ends", () -> rig.slotIsFree());
      kafka.restart();
      rig.startCapture();
      assertAllArrive(rig.reader(), 100);
    }
  }
}
