package dev.reshard.probe;

import dev.reshard.control.ControlStore;
import dev.reshard.control.StageUnit;
import dev.reshard.keyspace.Move;
import java.sql.SQLException;
import java.util.List;
import java.util.OptionalLong;

/**
 * Whether a move's source still owns its buckets: only then is it the one to compare with. Looks at
 * the control database now and then. Thread-safe.
 */
final class Places {
  private static final long GOOD_FOR_NANOS = 500_000_000;

  private final ControlStore control;
  private List<StageUnit> atSource = List.of();
  private long read;

  Places(ControlStore control) {
    this.control = control;
    this.read = System.nanoTime() - GOOD_FOR_NANOS;
  }

  /**
   * How often the unit's cutover was tried, if it is at its source and replicated; else empty.
   *
   * @param now not as of half a second ago
   */
  synchronized OptionalLong attempt(Move move, boolean now) throws SQLException {
    if (now || System.nanoTime() - read >= GOOD_FOR_NANOS) {
      atSource =
          control.state().replicates()
              ? control.units().stream()
                  .filter(unit -> unit.place() == StageUnit.Place.AT_SOURCE)
                  .toList()
              : List.of();
      read = System.nanoTime();
    }
    return atSource.stream()
        .filter(unit -> unit.source().equals(move.source()))
        .filter(unit -> unit.destination().equals(move.destination()))
        .mapToLong(StageUnit::attempt)
        .findFirst();
  }
}
