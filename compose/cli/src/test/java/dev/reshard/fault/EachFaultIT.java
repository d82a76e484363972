package dev.reshard.fault;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each kind of fault once, on one migration; hundreds of them: {@link FaultSoakIT}. */
@Timeout(600)
class EachFaultIT {
  @TempDir private Path folder;

  @Test
  void everyFaultIsSurvivedAndNoRowIsLostOrDoubledOrStale() throws Exception {
    FaultLog log = new FaultLog(false);
    long seed = Long.getLong(FaultSoakIT.SEED, System.currentTimeMillis());
    List<Fault> faults = new ArrayList<>(List.of(Fault.values()));
    Collections.shuffle(faults, new Random(seed));
    try (Surroundings around = Surroundings.start(folder)) {
      Episode.run(around, folder, "faults", seed, Fault.lastEndsByItself(faults), false, log);
    } catch (Exception | AssertionError e) {
      throw log.failure(seed, e);
    } finally {
      System.out.print(log.summary());
    }
  }
}
