package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Runs every check, whatever the others found. Stateless. */
public final class Preflight {

  /** What came of a check, in the words of the first line. */
  enum Outcome {
    CLEAN("clean"),
    BLOCKED("with blockers"),
    NOTED("with notes"),
    IN_PART("without findings where shards could be asked"),
    UNMADE("could not be made");

    private final String words;

    Outcome(String words) {
      this.words = words;
    }
  }

  /**
   * All that was found.
   *
   * @param outcomes how many checks came to what
   */
  public record Result(Map<Outcome, Integer> outcomes, List<Finding> findings) {
    public Result {
      outcomes = new TreeMap<>(outcomes);
      findings = List.copyOf(findings);
    }

    int checks() {
      return outcomes.values().stream().mapToInt(Integer::intValue).sum();
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
          "%d check%s: %s%s"
              .formatted(
                  checks(),
                  checks() == 1 ? "" : "s",
                  outcomes.entrySet().stream()
                      .map(outcome -> outcome.getValue() + " " + outcome.getKey().words)
                      .collect(Collectors.joining(", ")),
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
  }

  private Preflight() {}

  public static Result run(List<Check> checks) {
    List<Finding> findings = new ArrayList<>();
    Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
    for (Check check : checks) {
      List<Finding> found;
      Outcome outcome;
      try {
        found = check.look();
        outcome = outcome(check, found);
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
        outcome = Outcome.UNMADE;
      }
      outcomes.merge(outcome, 1, Integer::sum);
      found.forEach(finding -> findings.add(finding.by(check.name())));
    }
    return new Result(outcomes, findings);
  }

  private static Outcome outcome(Check check, List<Finding> found) {
    if (found.stream().anyMatch(Finding::blocks)) {
      return Outcome.BLOCKED;
    }
    if (!found.isEmpty()) {
      return Outcome.NOTED;
    }
    return switch (check.reach()) {
      case ALL -> Outcome.CLEAN;
      case SOME -> Outcome.IN_PART;
      case NONE -> Outcome.UNMADE;
    };
  }
}
