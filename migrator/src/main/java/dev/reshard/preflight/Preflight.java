package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Runs every check, whatever the others found. Stateless. */
public final class Preflight {

  /**
   * All that was found.
   *
   * @param checks how many were run
   * @param clean how many found nothing
   */
  public record Result(int checks, int clean, List<Finding> findings) {
    public Result {
      findings = List.copyOf(findings);
    }

    public boolean blocked() {
      return findings.stream().anyMatch(Finding::blocks);
    }

    /**
     * One line with the counts, then a line for each kind of finding, blockers first: 300 tables
     * with one fault are one line.
     */
    public List<String> lines() {
      List<String> blockers = FindingLines.of(findings.stream().filter(Finding::blocks).toList());
      List<String> notes =
          FindingLines.of(findings.stream().filter(finding -> !finding.blocks()).toList());
      List<String> lines = new ArrayList<>();
      lines.add(
          "%d checks: %d ok, %s, %s%s"
              .formatted(
                  checks,
                  clean,
                  count(notes.size(), "note"),
                  count(blockers.size(), "blocker"),
                  blockers.size() + notes.size() < findings.size()
                      ? " (%d findings, all in --json)".formatted(findings.size())
                      : ""));
      blockers.forEach(line -> lines.add("BLOCKER  " + line));
      notes.forEach(line -> lines.add("note  " + line));
      return lines;
    }

    /**
     * The statements that mend what was found, by shard, each kind under a comment that says what
     * it mends; rights are not among them.
     */
    public List<String> fixes() {
      Map<String, Map<String, Set<String>>> byShard = new TreeMap<>();
      for (Finding finding : findings) {
        if (!finding.sql().isEmpty() && !finding.check().equals(Rights.NAME)) {
          byShard
              .computeIfAbsent(
                  finding.shard().map(ShardId::name).orElse(""), shard -> new LinkedHashMap<>())
              .computeIfAbsent(finding.what(), what -> new LinkedHashSet<>())
              .add(finding.sql());
        }
      }
      List<String> lines = new ArrayList<>();
      byShard.forEach(
          (shard, kinds) -> {
            lines.add("-- Shard " + shard);
            kinds.forEach(
                (what, sql) -> {
                  lines.add("-- " + what);
                  lines.addAll(sql);
                });
          });
      return lines;
    }

    private static String count(int number, String word) {
      return "%d %s%s".formatted(number, word, number == 1 ? "" : "s");
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
        findings.add(
            Finding.blocker("interrupted, so not everything was looked at").by(check.name()));
        break;
      } catch (Exception e) {
        found =
            List.of(
                Finding.blocker(
                    "%s: could not be checked: %s".formatted(check.name(), e.getMessage())));
      }
      clean += found.isEmpty() ? 1 : 0;
      found.forEach(finding -> findings.add(finding.by(check.name())));
    }
    return new Result(checks.size(), clean, findings);
  }
}
