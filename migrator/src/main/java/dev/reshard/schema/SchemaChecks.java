package dev.reshard.schema;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.Check;
import dev.reshard.preflight.Finding;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Whether destinations have the sources' schema or can be given it. Stateless. */
public final class SchemaChecks {
  private SchemaChecks() {}

  /**
   * A check for each destination, and for each source but one.
   *
   * @param registry of the migration if it is under way
   * @param reachable shards; of the others somebody else says that they are not, and nothing can be
   *     compared with them
   */
  public static List<Check> of(
      SchemaCopy copy, Optional<CleanupRegistry> registry, Collection<ShardId> reachable) {
    if (!reachable.contains(copy.pattern())) {
      return List.of();
    }
    List<Check> checks = new ArrayList<>();
    for (ShardId source : those(copy.otherSources(), reachable)) {
      checks.add(
          check(
              source,
              () ->
                  copy.compare(source).stream()
                      .map(
                          difference ->
                              difference.blocks()
                                  ? at(source, difference.text(), Finding::blocker)
                                      .todo("make them the same")
                                  : at(source, difference.text(), Finding::note))
                      .toList()));
    }
    for (ShardId destination : those(copy.destinations(), reachable)) {
      checks.add(
          check(
              destination,
              () -> {
                SchemaPlan plan = copy.plan(destination, registry);
                List<Finding> findings = new ArrayList<>();
                plan.problems()
                    .forEach(text -> findings.add(at(destination, text, Finding::blocker)));
                plan.notes().forEach(text -> findings.add(at(destination, text, Finding::note)));
                return findings;
              }));
    }
    return checks;
  }

  private static Set<ShardId> those(Set<ShardId> shards, Collection<ShardId> reachable) {
    Set<ShardId> both = new TreeSet<>(shards);
    both.retainAll(reachable);
    return both;
  }

  /** A text that begins with its shard names it once. */
  private static Finding at(ShardId shard, String text, Function<String, Finding> severity) {
    String begin = shard + ": ";
    return text.startsWith(begin)
        ? severity.apply(text.substring(begin.length())).at(shard)
        : severity.apply(text);
  }

  private interface Look {
    List<Finding> at() throws SQLException;
  }

  private static Check check(ShardId shard, Look look) {
    return new Check() {
      @Override
      public String name() {
        return shard + ": schema";
      }

      @Override
      public List<Finding> look() throws SQLException {
        return look.at();
      }
    };
  }
}
