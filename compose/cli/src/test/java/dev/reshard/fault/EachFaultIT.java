package dev.reshard.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.control.MigrationState;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each kind of fault once, on one migration. */
@Timeout(400)
class EachFaultIT {
  @TempDir private Path folder;

  @Test
  void everyFaultIsSurvivedAndNoRowIsLostOrDoubledOrStale() throws Exception {
    String only = System.getProperty("only", "");
    try (Surroundings around = Surroundings.start(folder);
        Scene scene = Scene.open(around, folder, "faults", "budget: { pause: 5s }")) {
      scene.awaitState(MigrationState.READY_FOR_CUTOVER);
      for (Fault fault : Fault.values()) {
        if (!fault.name().startsWith(only)) {
          continue;
        }
        long begin = System.nanoTime();
        fault.strike(scene, Duration.ofSeconds(2));
        scene.requireRecovered();
        System.out.printf("%-45s %5d ms%n", fault, (System.nanoTime() - begin) / 1_000_000);
      }
      scene.shop.succeed("verify");
      scene.shop.succeedOnceGatesOpen("cutover");
      scene.shop.succeed("complete");
      assertEquals(0, scene.awaitEnd());
      scene.shop.clients.stop();
      scene.shop.requireRows();
    }
  }
}
