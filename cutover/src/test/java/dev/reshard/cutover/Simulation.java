package dev.reshard.cutover;

import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Two shards, the control database, workers and applications, all of whose steps one seeded
 * scheduler interleaves; with clocks that step, workers that die, server processes that end amid a
 * call, connections that break and calls that arrive late. Confined to one thread.
 */
final class Simulation {
  /** In ms of a shard's clock. */
  static final long BUDGET = 250;

  private static final int EVENTS = 600;
  private static final int PATIENCE = 20_000;

  final SimulatedShard a = new SimulatedShard("a", true);
  final SimulatedShard b = new SimulatedShard("b", false);
  final SimulatedControl control = new SimulatedControl();

  private final Random random;
  private final Map<String, Integer> counts;
  private final List<Actor> actors = new ArrayList<>();
  private Actor frozen;
  private boolean faulty = true;

  /**
   * @param counts how often each thing happened, added up over simulations
   */
  Simulation(long seed, Map<String, Integer> counts) {
    this.random = new Random(seed);
    this.counts = counts;
  }

  /**
   * Runs it, then lets one last worker mend what is left.
   *
   * @throws AssertionError if a promise was broken
   */
  void run() {
    for (int event = 0; event < EVENTS; event++) {
      happen();
      check();
    }
    faulty = false;
    actors.removeIf(actor -> actor instanceof SimulatedWorker);
    add(new SimulatedWorker(this, true));
    for (int event = 0; !actors.isEmpty(); event++) {
      require(event < PATIENCE, "never comes to rest");
      actStep();
      applySome();
      check();
    }
    atRest();
  }

  SimulatedShard shard(ShardId id) {
    return id.name().equals("a") ? a : b;
  }

  void add(Actor actor) {
    actors.add(actor);
  }

  boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  boolean faulty() {
    return faulty;
  }

  void count(String what) {
    counts.merge(what, 1, Integer::sum);
  }

  private SimulatedShard any() {
    return random.nextBoolean() ? a : b;
  }

  private void happen() {
    int dice = random.nextInt(1_000);
    if (dice < 40) {
      add(any().new Write(() -> chance(25)));
    } else if (dice < 140) {
      applySome();
    } else if (dice < 160) {
      any().clock += random.nextInt(60);
    } else if (dice < 163) {
      any().clock += random.nextInt(1_000) - 500;
    } else if (dice < 166 || actors.stream().noneMatch(x -> x instanceof SimulatedWorker)) {
      add(new SimulatedWorker(this, false));
    } else if (dice < 170) {
      lose();
    } else if (dice < 180 && !actors.isEmpty()) {
      frozen = actors.get(random.nextInt(actors.size())); // and thaws whom it was before
    } else {
      actStep();
    }
  }

  private void applySome() {
    SimulatedShard shard = any();
    shard.applied += random.nextInt(shard.log.size() - shard.applied + 1);
  }

  private void actStep() {
    if (!actors.isEmpty()) {
      Actor actor = actors.get(random.nextInt(actors.size()));
      if (actor == frozen && faulty) {
        return;
      }
      actor.step();
      if (actor.done()) {
        actors.remove(actor);
      }
    }
  }

  /** A worker dies, while what it asked for goes on; or a server process ends amid its call. */
  private void lose() {
    if (actors.isEmpty()) {
      return;
    }
    Actor actor = actors.get(random.nextInt(actors.size()));
    if (actor instanceof SimulatedShard.Call call) {
      call.fail();
      actors.remove(actor);
      count("call lost");
    } else if (actor instanceof SimulatedWorker) {
      actors.remove(actor);
      count("worker lost");
    }
  }

  private void check() {
    require(!a.accepts() || !b.accepts(), "both shards accept writes");
    check(a, b);
    check(b, a);
  }

  private void check(SimulatedShard shard, SimulatedShard other) {
    boolean letThrough = shard.inFlight.stream().anyMatch(write -> write.passed);
    if (other.accepts()) {
      require(!letThrough, "a write that %s let through is open while %s accepts", shard, other);
      require(
          shard.lastWrite() < shard.applied, "%s accepts, but lacks writes of %s", other, shard);
    }
    if (shard.sealed == 2 && shard.fencedAttempt > 0) {
      require(!letThrough, "%s is sealed, but a write that it let through is open", shard);
      require(
          shard.lastWrite() < shard.log.indexOf(shard.fencedAttempt),
          "%s is sealed, but a write follows the token",
          shard);
    }
  }

  private void atRest() {
    Place place = control.unit.place();
    require(place == Place.AT_SOURCE || place == Place.AT_DESTINATION, "unit is left %s", place);
    SimulatedShard owner = place == Place.AT_SOURCE ? a : b;
    SimulatedShard other = owner == a ? b : a;
    require(owner.until == 0, "%s should be open", owner);
    require(other.until == SimulatedShard.FOR_EVER, "%s should be closed", other);
  }

  @SuppressWarnings("AnnotateFormatMethod") // one class calls it
  private void require(boolean holds, String otherwise, Object... names) {
    if (!holds) {
      throw new AssertionError(
          "%s; %s, %s, unit %s %s attempt %d"
              .formatted(
                  otherwise.formatted(names),
                  a,
                  b,
                  control.unit.place(),
                  control.unit.direction(),
                  control.unit.attempt()));
    }
  }
}
