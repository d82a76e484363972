package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.time.ZoneId;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class TopicsTailTest {
  private static final Instant NOW = Instant.parse("2026-03-02T03:12:04Z");
  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

  @Test
  void sinceIsHowLongAgoOrAMoment() {
    assertEquals(Instant.parse("2026-03-02T03:02:04Z"), since("10min"));
    assertEquals(Instant.parse("2026-03-01T03:12:00Z"), since("2026-03-01T03:12:00Z"));
    assertEquals(Instant.parse("2026-03-01T02:12:00Z"), since("2026-03-01T03:12:00"));
  }

  @Test
  void whatIsNoMomentIsRefused() {
    assertThrows(CommandLine.TypeConversionException.class, () -> since("yesterday"));
  }

  private static Instant since(String text) {
    return TopicsTailCommand.since(text, NOW, BERLIN);
  }
}
