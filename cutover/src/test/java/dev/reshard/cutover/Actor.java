package dev.reshard.cutover;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Something that acts in small steps, each atomic, between which a {@link Simulation} may let any
 * other act. A step that waits puts itself in front again. Confined to one thread.
 */
abstract class Actor {
  private final Deque<Runnable> steps = new ArrayDeque<>();

  final boolean done() {
    return steps.isEmpty();
  }

  final void step() {
    steps.poll().run();
  }

  /** These steps come next, in this order, before all others. */
  final void next(Runnable... more) {
    for (int i = more.length - 1; i >= 0; i--) {
      steps.push(more[i]);
    }
  }

  final void next(List<Runnable> more) {
    next(more.toArray(Runnable[]::new));
  }

  final void stop() {
    steps.clear();
  }
}
