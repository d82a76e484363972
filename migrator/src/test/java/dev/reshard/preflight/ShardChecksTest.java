package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShardChecksTest {
  @ParameterizedTest
  @ValueSource(ints = {15, 16, 17, 18})
  void versionsThatAreKnownNeedNoWord(int version) {
    assertEquals(List.of(), ShardChecks.judge(version));
  }

  @ParameterizedTest
  @CsvSource({
    "14, false, PostgreSQL 14 is older than 15",
    "13, true, PostgreSQL 13 is older than 15",
    "19, false, PostgreSQL 19 is newer than this program knows (15 to 18)"
  })
  void versionsOutOfRangeAreNamed(int version, boolean blocks, String what) {
    Finding finding = only(version);
    assertEquals(blocks, finding.blocks());
    assertEquals(what, finding.what().substring(0, what.length()));
  }

  @Test
  void fourteenSaysWhatItLacks() {
    assertEquals("upgrade it, or it stays at the blocker of that right", only(14).todo());
  }

  private static Finding only(int version) {
    List<Finding> findings = ShardChecks.judge(version);
    assertEquals(1, findings.size());
    return findings.get(0);
  }
}
