package dev.reshard.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.spec.Rate;
import dev.reshard.spec.ThrottleSpec;
import dev.reshard.spec.ThrottleSpec.Query;
import dev.reshard.spec.ThrottleSpec.Window;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowsTest {
  @ParameterizedTest
  @CsvSource({
    "2026-01-15T04:59:59Z, false", // winter: one hour ahead of UTC
    "2026-01-15T05:00:00Z, true",
    "2026-01-15T20:59:59Z, true",
    "2026-01-15T21:00:00Z, false",
    "2026-07-15T03:59:59Z, false", // summer: two
    "2026-07-15T04:00:00Z, true",
    "2026-07-15T20:00:00Z, false"
  })
  void aWindowGoesByTheClocksOfItsZone(Instant now, boolean open) {
    assertEquals(open, window("06:00", "22:00").covers(now));
  }

  @ParameterizedTest
  @CsvSource({
    "2026-01-15T20:59:59Z, false",
    "2026-01-15T21:00:00Z, true",
    "2026-01-15T23:30:00Z, true",
    "2026-01-16T04:59:59Z, true",
    "2026-01-16T05:00:00Z, false",
    "2026-01-16T11:00:00Z, false"
  })
  void aWindowMayGoAcrossMidnight(Instant now, boolean open) {
    assertEquals(open, window("22:00", "06:00").covers(now));
  }

  /** 29 March 2026, 02:00 to 03:00 is left out; 25 October 2026, it comes twice. */
  @ParameterizedTest
  @CsvSource({
    "02:15, 02:45, 2026-03-29T00:59:00Z, false",
    "02:15, 02:45, 2026-03-29T01:00:00Z, false",
    "02:15, 02:45, 2026-03-29T01:20:00Z, false",
    "01:30, 02:30, 2026-03-29T00:59:59Z, true",
    "01:30, 02:30, 2026-03-29T01:00:00Z, false",
    "22:00, 06:00, 2026-03-29T03:59:59Z, true",
    "22:00, 06:00, 2026-03-29T04:00:00Z, false",
    "02:15, 02:45, 2026-10-25T00:20:00Z, true",
    "02:15, 02:45, 2026-10-25T00:50:00Z, false",
    "02:15, 02:45, 2026-10-25T01:20:00Z, true",
    "02:15, 02:45, 2026-10-25T01:50:00Z, false"
  })
  void onDaysWhenClocksChangeTheyStillSayWhatIsOpen(
      String from, String to, Instant now, boolean open) {
    assertEquals(open, window(from, to).covers(now));
  }

  @Test
  void theStrictestOfRatesAndOpenWindowsStands() {
    ThrottleSpec file =
        new ThrottleSpec(
            List.of(Rate.parse("100MB/s")),
            List.of(window("06:00", "22:00"), window("21:00", "23:00", "5MB/s")),
            Optional.empty(),
            Optional.empty());
    assertEquals("at 100 MB/s: throttle.rate", told(file, "2026-01-15T03:00:00Z"));
    assertEquals(
        "at 20 MB/s: window 06:00-22:00 Europe/Berlin", told(file, "2026-01-15T12:00:00Z"));
    assertEquals("at 5 MB/s: window 21:00-23:00 Europe/Berlin", told(file, "2026-01-15T20:30:00Z"));
  }

  @Test
  void aQuestionSlowsDownAboveItsLimit() {
    Query query = new Query("SELECT 1", 30, Rate.parse("5MB/s"));
    assertEquals(Optional.empty(), SourceWatch.demanded(query, 30));
    assertEquals(Optional.empty(), SourceWatch.demanded(query, Double.NEGATIVE_INFINITY));
    assertEquals(
        "at 5 MB/s: throttle.query says 31.5, above 30",
        SourceWatch.demanded(query, 31.5).orElseThrow().toString());
    Query pause = new Query("SELECT true", 0, Rate.parse("0MB/s"));
    assertEquals(
        "paused: throttle.query says true",
        SourceWatch.demanded(pause, Double.POSITIVE_INFINITY).orElseThrow().toString());
    assertTrue(SourceWatch.demanded(pause, Double.NaN).isEmpty());
  }

  private static String told(ThrottleSpec file, String now) {
    return new Throttle(Limits.of(SourceWatch.ofFile(file, Instant.parse(now))))
        .told()
        .orElseThrow()
        .toString();
  }

  private static Window window(String from, String to) {
    return window(from, to, "20MB/s");
  }

  private static Window window(String from, String to, String rate) {
    return new Window(
        LocalTime.parse(from), LocalTime.parse(to), ZoneId.of("Europe/Berlin"), Rate.parse(rate));
  }
}
