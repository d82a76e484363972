package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresMajorsIT {
  private static final String MAJOR = "SELECT current_setting('server_version_num')::int / 10000";

  @Test
  void theMajorOfTheBuildNeedsNoOtherBinaries() throws Exception {
    int major = PostgresBinaries.ofBuild().major();
    try (SandboxShards shards = SharedSandbox.shardsOfMajors(new TreeMap<>(Map.of("a", major)))) {
      assertEquals(List.of("" + major), shards.get("a").query(MAJOR));
    }
  }

  @Test
  void aMajorThatNobodyHasIsRefusedWithWhatToDo() {
    SandboxException refused =
        assertThrows(SandboxException.class, () -> SandboxPostgres.start(9, Map.of()));
    assertTrue(refused.getMessage().contains("-Pmatrix"), refused.getMessage());
  }

  @Tag("matrix")
  @ParameterizedTest
  @ValueSource(ints = {15, 16, 18})
  void otherMajorsRunBesideIt(int major) throws Exception {
    try (SandboxShards shards = SharedSandbox.shardsOfMajors(new TreeMap<>(Map.of("a", major)));
        SandboxShards usual = SharedSandbox.freshShards("a")) {
      assertEquals(List.of("" + major), shards.get("a").query(MAJOR));
      assertEquals(List.of("" + PostgresBinaries.ofBuild().major()), usual.get("a").query(MAJOR));
      shards.get("a").server().kill();
      shards.get("a").server().restart();
      assertEquals(List.of("C"), shards.get("a").query("SHOW lc_messages"));
    }
  }
}
