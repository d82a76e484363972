package dev.reshard.throttle;

import dev.reshard.spec.Rate.Unit;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** All limits of one moment: of each kind the strictest counts; of equal ones the first. Pure. */
public final class Limits {
  /** Nothing is held back. */
  public static final Limits NONE = new Limits(Map.of(), Optional.empty());

  private final Map<Unit, Limit> byUnit;
  private final Optional<Limit> pause;

  private Limits(Map<Unit, Limit> byUnit, Optional<Limit> pause) {
    this.byUnit = byUnit;
    this.pause = pause;
  }

  public static Limits of(Collection<Limit> all) {
    Map<Unit, Limit> strictest = new EnumMap<>(Unit.class);
    Optional<Limit> pause = Optional.empty();
    for (Limit limit : all) {
      if (limit.rate().isPause()) {
        pause = pause.isPresent() ? pause : Optional.of(limit);
      } else {
        strictest.merge(
            limit.rate().unit(),
            limit,
            (one, other) -> other.rate().amount() < one.rate().amount() ? other : one);
      }
    }
    return new Limits(strictest, pause);
  }

  /** Why no chunk may begin; empty if one may. */
  Optional<Limit> pause() {
    return pause;
  }

  Optional<Limit> of(Unit unit) {
    return Optional.ofNullable(byUnit.get(unit));
  }

  /** Infinite if there is none. */
  double amount(Unit unit) {
    Limit limit = byUnit.get(unit);
    return limit == null ? Double.POSITIVE_INFINITY : limit.rate().amount();
  }

  boolean isFree() {
    return byUnit.isEmpty() && pause.isEmpty();
  }

  /**
   * The one that people are told of: a pause, else the one that somebody waited for last, else the
   * first.
   */
  Optional<Limit> told(Optional<Unit> waitedFor) {
    return pause
        .or(() -> waitedFor.flatMap(this::of))
        .or(() -> byUnit.values().stream().findFirst());
  }
}
