package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The lines about copying, few of them for any number of tables. Pure. */
final class CopyView {
  /** Tables that are shown: those that take longest. */
  private static final int TABLES = 3;

  /** Sources that are shown: those that take longest. */
  private static final int SOURCES = 4;

  /** A copy that stands still for as long is worth a word. */
  private static final long IDLE_SECONDS = 10;

  private CopyView() {}

  static List<String> lines(MigrationState state, WorkerReport report) {
    if (report.sources().isEmpty()) {
      return List.of();
    }
    long rows = report.tables().stream().mapToLong(WorkerReport.Copy::rows).sum();
    if (state != MigrationState.COPYING) {
      return List.of(
          "%s rows of %d tables"
              .formatted(
                  Quantity.count(rows),
                  report.tables().stream().map(WorkerReport.Copy::table).distinct().count()));
    }
    List<String> lines = new ArrayList<>();
    List<WorkerReport.Copy> slowest =
        report.sources().stream().sorted(SLOWEST).limit(SOURCES).toList();
    slowest.forEach(source -> lines.add(source(source, report)));
    if (report.sources().size() > SOURCES) {
      lines.add("%d more sources, which take less".formatted(report.sources().size() - SOURCES));
    }
    report.tables().stream()
        .filter(table -> !table.isDone() && table.blocks() > 0)
        .sorted(SLOWEST)
        .limit(TABLES)
        .forEach(table -> lines.add("  " + table(table)));
    return lines;
  }

  private static final Comparator<WorkerReport.Copy> SLOWEST =
      Comparator.comparingLong(
          copy -> copy.isDone() ? 0 : copy.etaSeconds() < 0 ? Long.MIN_VALUE : -copy.etaSeconds());

  private static String source(WorkerReport.Copy source, WorkerReport report) {
    List<WorkerReport.Copy> tables =
        report.tables().stream().filter(t -> t.source().equals(source.source())).toList();
    return "%s  %3d %%  %d of %d tables  %s rows%s%s"
        .formatted(
            source.source(),
            source.percent(),
            tables.stream().filter(WorkerReport.Copy::isDone).count(),
            tables.size(),
            Quantity.count(tables.stream().mapToLong(WorkerReport.Copy::rows).sum()),
            pace(source),
            source.isDone() ? "" : held(source, report));
  }

  private static String held(WorkerReport.Copy source, WorkerReport report) {
    return report.throttles().stream()
        .filter(held -> held.source().equals(source.source()))
        .map(held -> "  " + held.limit())
        .findFirst()
        .orElse("");
  }

  private static String table(WorkerReport.Copy table) {
    return "%s %s  %3d %%  %s rows%s"
        .formatted(
            table.source(),
            table.table(),
            table.percent(),
            Quantity.count(table.rows()),
            pace(table));
  }

  private static String pace(WorkerReport.Copy copy) {
    if (copy.isDone()) {
      return "  done";
    }
    if (copy.idleSeconds() >= IDLE_SECONDS) {
      return "  nothing for " + Quantity.span(copy.idleSeconds());
    }
    return copy.etaSeconds() < 0
        ? "  time left: not known yet"
        : "  %s/s  about %s left"
            .formatted(Quantity.bytes(copy.bytesPerSecond()), Quantity.span(copy.etaSeconds()));
  }
}
