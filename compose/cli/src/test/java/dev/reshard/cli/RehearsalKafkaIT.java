package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxKafka;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A migration without a cluster of brokers: {@code kafka: embedded}. */
@Timeout(180)
@Tag("matrix")
class RehearsalKafkaIT {
  private static final long SOME = 30;

  @TempDir private Path folder;
  private Path broker;

  @Test
  void aWorkerThatIsKilledLeavesItsBrokersDataToTheNext() throws Exception {
    try (Shop shop = Shop.open(folder, "rehearsal", 2, 3)) {
      shop.embedKafka();
      shop.writeFile("budget: { pause: 5s }", "gates: { lag: 0s }"); // never near enough
      broker = folder.resolve("migration.yaml.kafka");
      isToldOfBeforeThereIsOne(shop);
      String cluster;
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        shop.awaitState(MigrationState.CATCHING_UP);
        shop.awaitTransactions(SOME);
        cluster = cluster();
        worker.kill();
      }
      hasNoBroker(shop);
      isRefusedElsewhere(shop);
      shop.writeFile("budget: { pause: 5s }");
      try (WorkerProcess worker = WorkerProcess.start(shop.file)) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        assertEquals(cluster, cluster());
        Answer topics = Shop.runLoud("topics", "list", "-f", shop.file.toString());
        assertTrue(topics.text().contains(shop.prefix + ".rehearsal.changes.a"), topics::toString);
        shop.succeed("verify");
        shop.succeedOnceGatesOpen("cutover");
        shop.awaitTransactions(SOME);
        assertTrue(shop.succeed("complete").text().contains("then delete " + broker));
        assertEquals(ExitCode.DONE.code(), worker.awaitEnd());
        worker.awaitSaid("then delete " + broker);
      }
      shop.requireClean();
    }
  }

  private void isToldOfBeforeThereIsOne(Shop shop) {
    Answer check = shop.succeed("check");
    assertTrue(
        check.text().contains("note  kafka is embedded, for a rehearsal: "), check::toString);
    assertFalse(check.text().contains("topics.replication"), check::toString);
    hasNoBroker(shop);
    assertFalse(Files.exists(broker), "a command that only looks made the broker's directory");
  }

  private static void hasNoBroker(Shop shop) {
    String file = shop.file.toString();
    for (Answer topics :
        List.of(
            Shop.runLoud("topics", "list", "-f", file),
            Shop.runLoud("topics", "tail", "events", "-f", file))) {
      assertEquals(ExitCode.NO_WORKER.code(), topics.exitCode(), topics::toString);
      assertTrue(topics.text().contains("only while a worker runs"), topics::toString);
    }
  }

  /** A broker that begins anew would lack what the first one had. */
  private void isRefusedElsewhere(Shop shop) throws Exception {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere")).resolve("migration.yaml");
    Files.copy(shop.file, elsewhere);
    Answer check = Shop.runLoud("check", "-f", elsewhere.toString());
    assertEquals(ExitCode.BLOCKED.code(), check.exitCode(), check::toString);
    Answer standby = Shop.runLoud("run", "--standby", "-f", elsewhere.toString());
    assertEquals(ExitCode.REFUSED.code(), standby.exitCode(), standby::toString);
    assertTrue(standby.text().contains("there is no directory " + elsewhere), standby::toString);
  }

  /** Its id and address. */
  private String cluster() throws Exception {
    String address = SandboxKafka.addressIn(broker).orElseThrow();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
      return admin.describeCluster().clusterId().get(20, TimeUnit.SECONDS) + " " + address;
    }
  }
}
