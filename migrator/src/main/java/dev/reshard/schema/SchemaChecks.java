package dev.reshard.schema;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.Check;
import dev.reshard.preflight.Finding;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether destinations have the sources' schema or can be given it. Stateless. */
public final class SchemaChecks {
  private SchemaChecks() {}

  /**
   * A check for each destination, and for each source but one.
   *
   * @param registry of the migration if it is under way
   */
  public static List<Check> of(SchemaCopy copy, Optional<CleanupRegistry> registry) {
    List<Check> checks = new ArrayList<>();
    for (ShardId source : copy.otherSources()) {
      checks.add(
          check(
              source,
              () ->
                  copy.compare(source).stream()
                      .map(
                          difference ->
                              difference.blocks()
                                  ? Finding.blocker(difference.text() + "; make them the same")
                                  : Finding.note(difference.text()))
                      .toList()));
    }
    for (ShardId destination : copy.destinations()) {
      checks.add(
          check(
              destination,
              () -> {
                SchemaPlan plan = copy.plan(destination, registry);
                List<Finding> findings = new ArrayList<>();
                plan.problems().forEach(text -> findings.add(Finding.blocker(text)));
                plan.notes().forEach(text -> findings.add(Finding.note(text)));
                return findings;
              }));
    }
    return checks;
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
