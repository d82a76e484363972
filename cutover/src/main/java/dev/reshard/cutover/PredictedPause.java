package dev.reshard.cutover;

import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.migration.Gate;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Replication;
import java.time.Duration;
import java.util.Map;

/**
 * How long writers would wait if the buckets were handed over now: the parts of the pause that
 * depend on load, tried for each unit without a fence. It waits for the writers of this moment and
 * sends a token through capture, Kafka and lane.
 */
final class PredictedPause implements Gate {
  private final Migration migration;
  private final Replication replication;
  private final Direction direction;

  PredictedPause(Migration migration, Replication replication, Direction direction) {
    this.migration = migration;
    this.replication = replication;
    this.direction = direction;
  }

  @Override
  public Verdict look() throws Exception {
    Duration budget = migration.spec().budget().pause();
    String limit = "at most %d ms".formatted(budget.toMillis());
    Duration longest = Duration.ZERO;
    for (StageUnit unit : migration.control().units()) {
      StageUnit next = unit.fenced(direction, unit.epoch());
      if (unit.place() == next.before()) {
        try (ShardSteps steps = ShardSteps.attempt(migration, replication, next, Map.of())) {
          Duration pause = steps.tryWithoutFence(budget);
          if (pause.compareTo(budget) > 0) {
            String value = "%s: %s".formatted(next, steps.notes());
            return new Verdict("predicted pause", false, value, limit);
          }
          longest = pause.compareTo(longest) > 0 ? pause : longest;
        }
      }
    }
    return new Verdict("predicted pause", true, longest.toMillis() + " ms", limit);
  }
}
