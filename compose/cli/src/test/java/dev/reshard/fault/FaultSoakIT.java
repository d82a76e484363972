package dev.reshard.fault;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many faults, in many migrations one after the other on the same servers. */
@Tag("soak")
@Timeout(4_000)
class FaultSoakIT {
  /** System property: the one seed to run. */
  static final String SEED = "reshard.fault.seed";

  /** System property: how many faults at least. */
  static final String COUNT = "reshard.fault.count";

  private static final int DEFAULT_COUNT = 200;
  private static final int FAULTS_PER_MIGRATION = 10;

  @TempDir private Path folder;

  @Test
  void noFaultOfHundredsLosesDoublesOrLeavesAnything() throws Exception {
    FaultLog log = new FaultLog(true);
    Long only = Long.getLong(SEED);
    long seed = only != null ? only : System.currentTimeMillis();
    int wanted = only != null ? 1 : Integer.getInteger(COUNT, DEFAULT_COUNT);
    try (Surroundings around = Surroundings.start(folder)) {
      for (; log.total() < wanted; seed++) {
        Path own = Files.createDirectory(folder.resolve("seed-" + seed));
        Random random = new Random(seed);
        List<Fault> faults = draw(random);
        try {
          Episode.run(around, own, "soak-" + seed, seed, faults, random.nextInt(4) == 0, log);
        } catch (Exception | AssertionError e) {
          throw log.failure(seed, e);
        }
      }
    } finally {
      System.out.print(log.summary());
    }
  }

  private static List<Fault> draw(Random random) {
    List<Fault> kinds = List.of(Fault.values());
    List<Fault> faults = new ArrayList<>();
    while (faults.size() < FAULTS_PER_MIGRATION) {
      faults.add(kinds.get(random.nextInt(kinds.size())));
    }
    return Fault.lastEndsByItself(faults);
  }
}
