package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the gates of the next hand-over about once a second, so that the status shows what is in
 * its way before anybody asks for it. A hand-over looks again by itself. Thread-safe.
 */
public final class GateWatch implements Service {
  private static final Logger log = LoggerFactory.getLogger(GateWatch.class);
  private static final long LOOK_MS = 1_000;
  private static final long STOP_LIMIT_MS = 2_000;

  private final Migration migration;
  private final List<Gate> wayForth;
  private final List<Gate> wayBack;

  /** Of many tables a look takes its time: it is taken in a tenth of the time at most. */
  private static final int SHARE = 9;

  private volatile Look last = new Look(List.of(), System.nanoTime());
  private volatile boolean closed;
  private Thread thread;

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
  public synchronized void start() {
    if (thread == null && !closed) {
      thread = new Thread(this::watch, "gates");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void watch() {
    try {
      while (!closed) {
        long start = System.nanoTime();
        try {
          last = new Look(look(gates(migration.control().state())), System.nanoTime());
        } catch (SQLException e) {
          log.debug("the gates could not be looked at", e);
        }
        long tookMs = (System.nanoTime() - start) / 1_000_000;
        Thread.sleep(Math.max(LOOK_MS, SHARE * tookMs)); // between two looks
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
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

  @Override
  public Optional<String> trouble() {
    return Optional.empty();
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
    Thread running;
    synchronized (this) {
      closed = true;
      running = thread;
    }
    if (running != null) {
      running.interrupt();
      try {
        running.join(STOP_LIMIT_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    last = new Look(List.of(), System.nanoTime());
  }
}
