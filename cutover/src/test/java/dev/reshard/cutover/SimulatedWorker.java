package dev.reshard.cutover;

import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Direction;
import dev.reshard.control.StageUnit.Place;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A worker: takes a lease, mends what it finds, then hands the unit to and fro, with the real
 * decider and the steps of {@code ShardSteps}. Confined to one thread.
 */
final class SimulatedWorker extends Actor {
  private final Simulation world;
  private final long lease;
  private final boolean recoverOnly;
  private StageUnit unit;
  private Progress progress;
  private boolean recovering;

  SimulatedWorker(Simulation world, boolean recoverOnly) {
    this.world = world;
    this.recoverOnly = recoverOnly;
    this.lease = ++world.control.lease;
    next(() -> takeLease(world.a), () -> takeLease(world.b), this::begin);
  }

  private void takeLease(SimulatedShard shard) {
    if (!shard.takeLease(lease)) {
      stop();
    }
  }

  /** What {@code HandOver.recover} and {@code HandOver.attempt} do. */
  private void begin() {
    unit = world.control.unit;
    recovering = unit.place() == Place.FENCED || unit.place() == Place.DECIDED;
    if (recovering) {
      call(
          owner().lift(lease, unit.attempt()),
          lifted -> go(CutoverDecider.recovered(!lifted)),
          this::again);
    } else if (!recoverOnly) {
      Direction towards = unit.place() == Place.AT_SOURCE ? Direction.FORWARD : Direction.BACK;
      move(unit.fenced(towards, 0), () -> go(Progress.AT_OWNER));
    }
  }

  private SimulatedShard owner() {
    return world.shard(unit.owner());
  }

  private SimulatedShard receiver() {
    return world.shard(unit.receiver());
  }

  private void go(Progress now) {
    progress = now;
    world.count(now.name() + (recovering ? " recovered" : ""));
    next(() -> take(CutoverDecider.next(progress, world.chance(98))));
  }

  private void take(CutoverDecider.Step step) {
    long attempt = unit.attempt();
    Runnable giveUp = () -> go(Progress.TOUCHED);
    switch (step) {
      case FENCE ->
          call(
              owner().fence(lease, attempt, Simulation.BUDGET),
              done -> go(Progress.FENCED),
              giveUp);
      case AWAIT_WRITERS -> awaitWriters(new LinkedHashSet<>(owner().inFlight));
      case MARK -> {
        owner().log.add(attempt);
        go(Progress.MARKED);
      }
      case DRAIN -> awaitToken(() -> go(Progress.DRAINED), giveUp);
      case SEAL ->
          call(
              owner().seal(lease, attempt),
              decided -> go(decided ? Progress.DECIDED : Progress.TOUCHED),
              this::again);
      case LIFT ->
          call(
              receiver().claim(lease, attempt),
              claimed -> call(owner().lift(lease, attempt), this::liftedOrSealed, this::again),
              this::again);
      case OPEN -> {
        Runnable open =
            () -> call(receiver().open(lease, attempt), o -> go(Progress.OPENED), this::again);
        if (recovering) {
          awaitToken(open, this::again);
        } else {
          open.run();
        }
      }
      case RECORD -> move(unit.at(unit.after()), () -> go(Progress.MOVED));
      case DONE -> again();
    }
  }

  private void liftedOrSealed(boolean lifted) {
    if (lifted) {
      move(unit.at(unit.before()), () -> go(Progress.LIFTED));
    } else {
      again();
    }
  }

  private void awaitWriters(Set<SimulatedShard.Write> writers) {
    writers.retainAll(owner().inFlight);
    if (writers.isEmpty()) {
      go(Progress.QUIET);
    } else if (world.chance(2)) {
      go(Progress.TOUCHED);
    } else {
      next(() -> awaitWriters(writers));
    }
  }

  private void awaitToken(Runnable drained, Runnable timedOut) {
    if (owner().hasApplied(unit.attempt())) {
      drained.run();
    } else if (world.chance(2)) {
      timedOut.run();
    } else {
      next(() -> awaitToken(drained, timedOut));
    }
  }

  private void move(StageUnit becomes, Runnable moved) {
    next(
        () -> {
          if (world.control.moveUnit(unit, becomes, lease)) {
            unit = becomes;
            moved.run();
          } else {
            world.count("lease lost");
          }
        });
  }

  /** Reads again where the unit stands, and mends that first. */
  private void again() {
    next(this::begin);
  }

  private interface Answered {
    void with(boolean answer);
  }

  /** Sends a call; the connection may break before the answer, and the call go on. */
  private void call(SimulatedShard.Call call, Answered answered, Runnable failed) {
    world.add(call);
    next(() -> await(call, answered, failed));
  }

  private void await(SimulatedShard.Call call, Answered answered, Runnable failed) {
    boolean disconnected = world.faulty() && world.chance(1);
    if (!call.done() && !disconnected) {
      next(() -> await(call, answered, failed));
    } else if (call.leaseLost) {
      world.count("lease lost");
    } else if (call.failed || disconnected) {
      failed.run();
    } else {
      answered.with(call.answer);
    }
  }
}
