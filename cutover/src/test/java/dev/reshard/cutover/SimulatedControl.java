package dev.reshard.cutover;

import dev.reshard.control.StageUnit;
import dev.reshard.keyspace.ShardId;

/** The control database: one unit, replaced under the newest lease only. Confined to one thread. */
final class SimulatedControl {
  long lease;
  StageUnit unit =
      new StageUnit(
          new ShardId("a"),
          new ShardId("b"),
          StageUnit.Place.AT_SOURCE,
          StageUnit.Direction.FORWARD,
          0,
          0);

  boolean moveUnit(StageUnit was, StageUnit becomes, long byLease) {
    if (byLease != lease || !was.equals(unit)) {
      return false;
    }
    unit = becomes;
    return true;
  }
}
