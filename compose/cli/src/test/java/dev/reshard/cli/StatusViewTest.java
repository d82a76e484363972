package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.control.MigrationState;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.ShardId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class StatusViewTest {
  /** Rows of a terminal that nobody has resized. */
  private static final int SCREEN = 24;

  private static final String GATES =
      """
      {"gates": [
         {"name": "lag", "open": true, "value": "12 ms", "limit": "at most 2000 ms", "remedy": "wait"},
         {"name": "full verification", "open": %s, "value": "not done", "limit": "done", "remedy": "run 'reshard verify'"}],
       "gates_age_ms": 300, "troubles": []}""";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          PENDING           | nothing: the worker goes on by itself
          PREPARING         | nothing: the worker goes on by itself
          COPYING           | nothing: the worker goes on by itself
          CATCHING_UP       | reshard cancel shop -f shop.yaml
          READY_FOR_CUTOVER | reshard verify -f shop.yaml
          CUTTING_OVER      | nothing: it ends within the budget
          COMPLETED         | reshard complete shop -f shop.yaml
          ROLLING_BACK      | nothing: it ends within the budget
          ROLLED_BACK       | reshard cutover shop -f shop.yaml
          CLEANING_UP       | nothing: the worker removes
          CLEANED           | nothing: all is done
          PAUSED            | reshard resume -f shop.yaml
          FAILED            | reshard cancel shop -f shop.yaml
          CANCELLED         | nothing: the worker removes""")
  void inEachStateTheNextStepIsOneThatTheWorkerWouldTake(MigrationState state, String expected)
      throws Exception {
    String text = HandMadeStatus.in(state).text();
    assertTrue(text.startsWith("shop   " + state + "   since 03:05:04 (7 min)"), text);
    assertTrue(line(text, "next").contains(expected), text);
  }

  @ParameterizedTest
  @EnumSource(MigrationState.class)
  void withoutAWorkerItSaysSoAndHowToStartOne(MigrationState state) throws Exception {
    String text = HandMadeStatus.in(state).withoutWorkerFor(12_000).text();
    if (state == MigrationState.CLEANED) {
      assertTrue(line(text, "blocks").contains("nothing"), text);
    } else {
      assertTrue(line(text, "blocks").contains("no worker is alive for 12.0 s"), text);
      assertTrue(line(text, "next").contains("reshard run -f shop.yaml"), text);
    }
  }

  @ParameterizedTest
  @EnumSource(MigrationState.class)
  void stepsAreJoinedOnceWhoeverWorks(MigrationState state) throws Exception {
    for (HandMadeStatus status :
        List.of(
            HandMadeStatus.in(state),
            HandMadeStatus.in(state).withoutWorkerFor(12_000),
            HandMadeStatus.in(state).verified(0).withoutWorkerFor(12_000),
            HandMadeStatus.in(state).moved().withoutWorkerFor(12_000))) {
      List<String> steps = NextStep.of(status.facts());
      for (String step : steps) {
        assertFalse(step.matches("(then|or) (then|or) .*"), steps::toString);
      }
      assertTrue(
          steps.stream().skip(1).allMatch(step -> step.matches("(then|or) .*")), steps::toString);
    }
  }

  @Test
  void withoutAWorkerTheStepsOfPeopleFollowTheRun() throws Exception {
    assertEquals(
        List.of(
            "reshard run -f shop.yaml   goes on where the last worker stopped",
            "then reshard verify -f shop.yaml",
            "then reshard cutover shop -f shop.yaml",
            "or reshard cancel shop -f shop.yaml   gives up; nothing has moved"),
        NextStep.of(
            HandMadeStatus.in(MigrationState.READY_FOR_CUTOVER).withoutWorkerFor(12_000).facts()));
  }

  @Test
  void aWorkerThatIsSilentForLongMayBeGone() throws Exception {
    assertEquals(
        List.of("if pid 7 is gone: reshard run -f shop.yaml   goes on where it stopped"),
        NextStep.of(HandMadeStatus.in(MigrationState.COPYING).silentFor(10_500).facts()));
  }

  @Test
  void whatADeadWorkerSaidLastIsNotShownAsNow() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.CATCHING_UP)
            .report("{\"lanes\":[" + lane("a", "c", "RUNNING", "120", "") + "]}")
            .withoutWorkerFor(12_000)
            .text();
    assertFalse(text.contains("lag"), text);
  }

  @Test
  void aWorkerThatDoesNotReportIsSuspect() throws Exception {
    String text = HandMadeStatus.in(MigrationState.CATCHING_UP).silentFor(9_000).text();
    assertTrue(line(text, "blocks").contains("has not reported for 9.0 s"), text);
  }

  @Test
  void beforeAMigrationIsStoredItSaysHowToBegin() {
    List<String> lines = StatusView.lines(HandMadeStatus.nothing(), ZoneOffset.UTC);
    assertEquals("there is no migration shop yet", lines.get(0));
    assertTrue(lines.contains("next      reshard check"), lines::toString);
    assertTrue(lines.get(1).contains("none is stored yet"), lines::toString);
  }

  @Test
  void aPauseShowsWhoAndWhyAndWhatItStops() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.PAUSED)
            .pausedIn(MigrationState.CATCHING_UP)
            .entered("eve@host2, pid 9", "the lunch hour")
            .text();
    assertEquals(
        "eve@host2, pid 9 paused it (the lunch hour): nothing is applied; changes go on into Kafka. 'reshard resume -f shop.yaml' ends the pause",
        line(text, "blocks"));
    assertEquals("reshard resume -f shop.yaml   goes on with CATCHING_UP", line(text, "next"));
  }

  @ParameterizedTest
  @CsvSource({
    "READY_FOR_CUTOVER, verify a  paused: 'reshard throttle' by eve",
    "ROLLED_BACK,       verify a  paused: 'reshard throttle' by eve",
    "CLEANING_UP,       purge a  paused: 'reshard throttle' by eve",
    "CANCELLED,         purge a  paused: 'reshard throttle' by eve"
  })
  void whatHoldsAVerificationOrAPurgeBackIsALine(MigrationState state, String expected)
      throws Exception {
    String text =
        HandMadeStatus.in(state)
            .report(
                "{\"throttle\":[{\"source\":\"a\",\"limit\":\"paused: 'reshard throttle' by eve\"}]}")
            .text();
    assertEquals(expected, line(text, "throttle"), text);
  }

  @Test
  void aFailureIsShownInFull() throws Exception {
    String why = "shard a holds rows that the map does not give it: " + "x".repeat(300) + " end.";
    String text = HandMadeStatus.in(MigrationState.FAILED).entered("worker", why).text();
    assertTrue(line(text, "blocks").endsWith("end."), text);
  }

  @Test
  void eachClosedGateIsALineThatSaysWhatToDo() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.READY_FOR_CUTOVER)
            .report(GATES.formatted("false"))
            .verified(0)
            .text();
    assertEquals("lag: 12 ms, must be at most 2000 ms: open", line(text, "gate"));
    assertEquals(
        "gate full verification: not done, must be done; run 'reshard verify'",
        line(text, "blocks"));
    assertEquals("reshard cutover shop -f shop.yaml   once every gate is open", line(text, "next"));
  }

  @Test
  void whenEveryGateIsOpenTheNextStepIsTheCutover() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.READY_FOR_CUTOVER)
            .report(GATES.formatted("true"))
            .verified(0)
            .text();
    assertEquals("nothing", line(text, "blocks"));
    assertEquals("reshard cutover shop -f shop.yaml", line(text, "next"));
    assertTrue(text.contains("or reshard cancel shop"), text);
  }

  @Test
  void onceSomethingHasMovedItOffersARollbackAndNoCancel() throws Exception {
    String text = HandMadeStatus.in(MigrationState.READY_FOR_CUTOVER).moved().text();
    assertTrue(text.contains("or reshard rollback shop"), text);
    assertFalse(text.contains("reshard cancel"), text);
  }

  @Test
  void eachTroubleIsALineAndNoneIsToldTwice() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.CATCHING_UP)
            .report(
                "{\"troubles\":[\"lane a > c: no such column\",\"topics are away\"],\"lanes\":[%s,%s]}"
                    .formatted(
                        lane("a", "c", "STOPPED", "null", "no such column"),
                        lane("b", "c", "RETRYING", "7200000", "server b is away")))
            .text();
    assertTrue(text.contains("blocks    lane a > c: no such column\n"), text);
    assertTrue(text.contains("\n          topics are away\n"), text);
    assertTrue(text.contains("\n          lane b > c: server b is away\n"), text);
    assertEquals(text.indexOf("no such column"), text.lastIndexOf("no such column"), text);
    assertTrue(text.contains("a > c  lag not known yet"), text);
    assertTrue(text.contains("b > c  lag 2 h"), text);
  }

  @Test
  void keptWalIsShownByShardAndALostSlotBlocks() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.CATCHING_UP)
            .wal("a", 56_908_316_672L, false, "")
            .wal("b", 0, true, "")
            .wal("c", 0, false, "does not answer within 3 s")
            .text();
    assertEquals("a 53 GB, b 0 B, c ? kept by our replication slots", line(text, "wal"));
    assertTrue(text.contains("shard b has removed WAL"), text);
    assertTrue(text.contains("shard c: does not answer within 3 s"), text);
  }

  @Test
  void whatHoldsTheCopyBackStandsInItsLine() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.COPYING)
            .report(
                """
                {"copy_sources": [{"source": "a", "blocks": 1, "total_blocks": 4, "bytes_per_s": 20971520, "eta_s": 60}],
                 "throttle": [{"source": "a", "limit": "at 20 MB/s: window 06:00-22:00 Europe/Berlin"}]}""")
            .text();
    assertEquals(
        "a   25 %  0 of 0 tables  0 rows  20 MB/s  about 1 min left  at 20 MB/s: window 06:00-22:00 Europe/Berlin",
        line(text, "copy"));
  }

  @Test
  void walIsShownAgainstItsBudgetWithAForecast() throws Exception {
    HandMadeStatus status =
        HandMadeStatus.in(MigrationState.CATCHING_UP)
            .wal("a", 26L << 30, false, "")
            .wal("b", 1L << 30, false, "")
            .report(
                """
                {"wal": [{"shard": "a", "limit": 53687091200, "full_in_s": 7800},
                         {"shard": "b", "limit": -1, "full_in_s": -1}]}""");
    assertEquals(
        "a 26 GB of 50 GB (full in 2 h 10 min), b 1.0 GB kept by our replication slots",
        line(status.text(), "wal"));
    JsonNode wal = new ObjectMapper().readTree(StatusJson.of(status.facts())).get("wal");
    assertEquals(53_687_091_200L, wal.get(0).get("limit").asLong());
    assertEquals(7_800, wal.get(0).get("full_in_s").asLong());
    assertTrue(wal.get(1).get("limit").isNull() && wal.get(1).get("full_in_s").isNull());
  }

  @Test
  void timesOfAnotherDayCarryTheirDate() throws Exception {
    String text = HandMadeStatus.in(MigrationState.COPYING).text();
    assertTrue(text.contains("\n2026-03-01 23:12:04  PENDING > PREPARING  yesterday"), text);
    assertTrue(text.contains("\n03:05:04  PREPARING > COPYING  it came so (worker)"), text);
  }

  @Test
  void threeHundredTablesAndManyShardsStayOneScreen() throws Exception {
    String copy =
        IntStream.range(0, 300)
            .mapToObj(i -> copy("public.t" + i, 1 + i % 100, i))
            .collect(Collectors.joining(","));
    String sources =
        IntStream.range(0, 12)
            .mapToObj(i -> copy("", 40, 100 + i).replace("\"a\"", "\"s" + i + "\""))
            .collect(Collectors.joining(","));
    String lanes =
        IntStream.range(0, 24)
            .mapToObj(i -> lane("s" + i, "c", i == 7 ? "RETRYING" : "RUNNING", "" + i, ""))
            .collect(Collectors.joining(","));
    List<StageUnit> units = new ArrayList<>();
    HandMadeStatus status = HandMadeStatus.in(MigrationState.COPYING);
    for (int i = 0; i < 12; i++) {
      ShardId source = new ShardId("s" + i);
      units.add(new StageUnit(source, new ShardId("c"), Place.AT_SOURCE, Direction.FORWARD, 0, 1));
      status.wal("s" + i, i * 1024L, false, "");
    }
    String text =
        status
            .units(units)
            .report(
                "{\"copy\":[%s],\"copy_sources\":[%s],\"lanes\":[%s]}"
                    .formatted(copy, sources, lanes))
            .text();
    assertTrue(text.lines().count() <= SCREEN, text);
    assertTrue(text.contains("public.t298"), "the slowest unfinished table is shown:\n" + text);
    assertTrue(text.contains("s7 > c  lag 7 ms  5 rows applied  retrying"), text);
    assertTrue(text.contains("21 more lanes"), text);
    assertTrue(text.contains("s11 11 kB, s10 10 kB, s9 9.0 kB and 9 more"), text);
    assertTrue(text.contains("12 units AT_SOURCE"), text);
  }

  @Test
  void whileCopyingEachSourceAndItsSlowestTablesTellTheTimeThatIsLeft() throws Exception {
    String text =
        HandMadeStatus.in(MigrationState.COPYING)
            .report(
                "{\"copy\":[%s,%s],\"copy_sources\":[%s]}"
                    .formatted(
                        copy("public.orders", 43, 3900),
                        copy("public.done", 100, 0),
                        copy("", 60, 3900)))
            .text();
    assertEquals(
        "a   60 %  1 of 2 tables  286 rows  2.0 MB/s  about 1 h 5 min left", line(text, "copy"));
    assertTrue(
        text.contains("a public.orders   43 %  86 rows  2.0 MB/s  about 1 h 5 min left"), text);
  }

  @Test
  void jsonHasEveryFieldInEveryState() throws Exception {
    Set<String> fields = null;
    for (MigrationState state : MigrationState.values()) {
      JsonNode json = new ObjectMapper().readTree(StatusJson.of(HandMadeStatus.in(state).facts()));
      assertEquals(1, json.path("version").asInt());
      assertEquals(state.name(), json.path("state").asText());
      fields = fields == null ? names(json) : fields;
      assertEquals(fields, names(json));
    }
    JsonNode nothing = new ObjectMapper().readTree(StatusJson.of(HandMadeStatus.nothing()));
    assertEquals(fields, names(nothing));
    assertTrue(nothing.path("state").isNull());
  }

  @Test
  void theSecretOfTheMigrationIsNowhere() throws Exception {
    HandMadeStatus status = HandMadeStatus.in(MigrationState.COMPLETED);
    assertFalse(status.text().contains(HandMadeStatus.MARKER.secret()));
    assertFalse(StatusJson.of(status.facts()).contains(HandMadeStatus.MARKER.secret()));
  }

  private static Set<String> names(JsonNode json) {
    Set<String> names = new TreeSet<>();
    json.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static String copy(String table, long percent, long etaSeconds) {
    return """
        {"source":"a","table":"%s","blocks":%d,"total_blocks":100,"rows":{"c":%d},
         "bytes":1,"bytes_per_s":2097152,"eta_s":%d,"idle_s":0}"""
        .formatted(table, percent, percent * 2, etaSeconds);
  }

  private static String lane(
      String source, String destination, String state, String lagMs, String reason) {
    return """
        {"source":"%s","destination":"%s","state":"%s","lag_ms":%s,"rows":5,"reason":"%s"}"""
        .formatted(source, destination, state, lagMs, reason);
  }

  /** The text behind a label, without the lines below. */
  private static String line(String text, String label) {
    return text.lines()
        .filter(line -> line.startsWith(label + " "))
        .map(line -> line.substring(10))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no line '" + label + "' in\n" + text));
  }
}
