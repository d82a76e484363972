package dev.reshard.cutover;

import dev.reshard.apply.Lane;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.guard.Guard;
import dev.reshard.guard.Writer;
import dev.reshard.migration.Gate;
import dev.reshard.migration.Guards;
import dev.reshard.migration.Migration;
import dev.reshard.migration.Replication;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;

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
    long longest = 0;
    for (StageUnit unit : migration.control().units()) {
      StageUnit next = unit.fenced(direction, unit.epoch());
      if (unit.place() != next.before()) {
        continue;
      }
      Lane lane = replication.lane(next.owner(), next.receiver());
      Guard guard =
          new Guard(Guards.unitOf(migration, Guards.moveOf(migration, unit)), migration.worker());
      try (Connection owner = migration.sessions().open(next.owner(), "gates")) {
        String token = migration.worker().marker().token("tried at " + System.nanoTime());
        long start = System.nanoTime();
        List<Writer> left = guard.waitForWriters(owner, budget);
        if (!left.isEmpty()) {
          return new Verdict("predicted pause", false, "writers that do not end: " + left, limit);
        }
        Guard.emitToken(owner, token);
        if (!lane.awaitToken(token, budget)) {
          String value =
              "%s: what was written last is not applied within the budget".formatted(next);
          return new Verdict("predicted pause", false, value, limit);
        }
        longest = Math.max(longest, System.nanoTime() - start);
      }
    }
    long ms = Duration.ofNanos(longest).toMillis();
    return new Verdict("predicted pause", ms <= budget.toMillis(), ms + " ms", limit);
  }
}
