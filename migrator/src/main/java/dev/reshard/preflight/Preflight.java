package dev.reshard.preflight;

import java.util.ArrayList;
import java.util.List;

/** Runs every check, whatever the others found. Stateless. */
public final class Preflight {

  /**
   * All that was found.
   *
   * @param checks how many were run
   * @param clean how many found nothing
   */
  public record Result(int checks, int clean, List<Finding> findings) {
    public boolean blocked() {
      return findings.stream().anyMatch(f -> f.severity() == Finding.Severity.BLOCKER);
    }

    /** One line with the counts, then a line for each finding, blockers first. */
    public List<String> lines() {
      long blockers =
          findings.stream().filter(f -> f.severity() == Finding.Severity.BLOCKER).count();
      List<String> lines = new ArrayList<>();
      lines.add(
          "%d checks: %d ok, %d note%s, %d blocker%s"
              .formatted(
                  checks,
                  clean,
                  findings.size() - blockers,
                  findings.size() - blockers == 1 ? "" : "s",
                  blockers,
                  blockers == 1 ? "" : "s"));
      for (Finding.Severity severity : List.of(Finding.Severity.BLOCKER, Finding.Severity.NOTE)) {
        findings.stream()
            .filter(f -> f.severity() == severity)
            .forEach(
                f ->
                    lines.add(
                        (severity == Finding.Severity.BLOCKER ? "BLOCKER  " : "note  ")
                            + f.what()));
      }
      return lines;
    }
  }

  private Preflight() {}

  public static Result run(List<Check> checks) {
    List<Finding> findings = new ArrayList<>();
    int clean = 0;
    for (Check check : checks) {
      List<Finding> found;
      try {
        found = check.look();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      } catch (Exception e) {
        found =
            List.of(
                Finding.blocker(
                    "%s: could not be checked: %s".formatted(check.name(), e.getMessage())));
      }
      clean += found.isEmpty() ? 1 : 0;
      findings.addAll(found);
    }
    return new Result(checks.size(), clean, findings);
  }
}
