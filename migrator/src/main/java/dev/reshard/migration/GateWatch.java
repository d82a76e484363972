package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the gates of the next hand-over about once a second, so that the status shows what is in
 * its way before anybody asks for it. A hand-over looks again by itself. Thread-safe.
 */
public final class GateWatch implements Service {
  private static final Logger log = LoggerFactory.getLogger(GateWatch.class);

  private final Migration migration;
  private final List<Gate> wayForth;
  private final List<Gate> wayBack;

  private volatile Look last = new Look(List.of(), System.nanoTime());
  private final RepeatedLook watch = new RepeatedLook("gates", this::look);

  private record Look(List<Gate.Verdict> verdicts, long atNanos) {}

  /**
   * Starts nothing.
   *
   * @param wayForth the gates of a cutover
   * @param wayBack the gates of a rollback
   */
  public GateWatch(Migration migration, List<Gate> wayForth, List<Gate> wayBack) {
    this.migration = migration;
    this.wayForth = List.copyOf(wayForth);
    this.wayBack = List.copyOf(wayBack);
  }

  @Override
  public void start() {
    watch.start();
  }

  private void look() throws SQLException, InterruptedException {
    last = new Look(look(gates(migration.control().state())), System.nanoTime());
  }

  /** None while the worker is busy with something else. */
  private List<Gate> gates(MigrationState state) {
    return switch (state) {
      case READY_FOR_CUTOVER, ROLLED_BACK -> wayForth;
      case COMPLETED -> wayBack;
      case PENDING,
          PREPARING,
          COPYING,
          CATCHING_UP,
          CUTTING_OVER,
          ROLLING_BACK,
          CLEANING_UP,
          CLEANED,
          PAUSED,
          FAILED,
          CANCELLED ->
          List.of();
    };
  }

  private List<Gate.Verdict> look(List<Gate> gates) throws InterruptedException {
    List<Gate.Verdict> before = last.verdicts();
    List<Gate.Verdict> verdicts = new ArrayList<>();
    for (int i = 0; i < gates.size(); i++) {
      try {
        verdicts.add(gates.get(i).look());
      } catch (InterruptedException e) {
        throw e;
      } catch (Exception e) {
        log.debug("a gate could not be looked at", e);
        String name = i < before.size() ? before.get(i).name() : "gate %d".formatted(i + 1);
        verdicts.add(
            new Gate.Verdict(
                name,
                false,
                "cannot be looked at: " + e.getMessage(),
                "known",
                "it is looked at again every second"));
      }
    }
    return verdicts;
  }

  /** {@code gates}: each with what was seen; {@code gates_age_ms}: how long ago. */
  @Override
  public Map<String, Object> report() {
    Look seen = last;
    List<Map<String, Object>> lines = new ArrayList<>();
    for (Gate.Verdict verdict : seen.verdicts()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("name", verdict.name());
      line.put("open", verdict.open());
      line.put("value", verdict.value());
      line.put("limit", verdict.limit());
      line.put("remedy", verdict.remedy());
      lines.add(line);
    }
    return Map.of("gates", lines, "gates_age_ms", (System.nanoTime() - seen.atNanos()) / 1_000_000);
  }

  @Override
  public void close() {
    watch.close();
    last = new Look(List.of(), System.nanoTime());
  }
}
