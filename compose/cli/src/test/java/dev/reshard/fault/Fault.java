package dev.reshard.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * One kind of fault: how it begins, and how it ends. Shard a is a source and has the control
 * database, b is a source, c the destination.
 */
@SuppressWarnings("ImmutableEnumChecker") // what it does has no state
enum Fault {
  WORKER_KILLED(Scene::killWorker, Scene::startWorker),
  WORKER_FROZEN_WHILE_A_STANDBY_TAKES_OVER(Scene::freezeWorker, Scene::thawWorker),
  CONTROL_KILLED(scene -> scene.server("a").kill(), scene -> scene.server("a").restart()),
  SOURCE_KILLED(scene -> scene.server("b").kill(), scene -> scene.server("b").restart()),
  DESTINATION_KILLED(scene -> scene.server("c").kill(), scene -> scene.server("c").restart()),
  BROKER_AWAY(scene -> scene.around.broker.kill(), scene -> scene.around.broker.start()),
  BROKER_KILLED(scene -> scene.around.broker.kill(), scene -> scene.around.broker.start()),
  WALSENDERS_TERMINATED(Scene::terminateWalsenders, scene -> {}),
  CONTROL_CUT(scene -> scene.around.to("a").cut(), scene -> scene.around.to("a").heal()),
  SOURCE_CUT(scene -> scene.around.to("b").cut(), scene -> scene.around.to("b").heal()),
  DESTINATION_CUT(scene -> scene.around.to("c").cut(), scene -> scene.around.to("c").heal()),
  BROKER_CUT(scene -> scene.around.toBroker().cut(), scene -> scene.around.toBroker().heal()),
  CONTROL_SLOW(scene -> scene.around.to("a").slow(Scene.FAR), s -> s.around.to("a").heal()),
  SOURCE_SLOW(scene -> scene.around.to("b").slow(Scene.FAR), s -> s.around.to("b").heal()),
  DESTINATION_SLOW(scene -> scene.around.to("c").slow(Scene.FAR), s -> s.around.to("c").heal()),
  BROKER_SLOW(scene -> scene.around.toBroker().slow(Scene.FAR), s -> s.around.toBroker().heal()),
  CONTROL_SILENT(scene -> scene.around.to("a").stall(), scene -> scene.around.to("a").heal()),
  SOURCE_SILENT(scene -> scene.around.to("b").stall(), scene -> scene.around.to("b").heal()),
  DESTINATION_SILENT(scene -> scene.around.to("c").stall(), scene -> scene.around.to("c").heal()),
  BROKER_SILENT(scene -> scene.around.toBroker().stall(), s -> s.around.toBroker().heal()),
  DESTINATION_TAKES_NO_WRITES(Scene::forbidWrites, Scene::allowWrites),
  DESTINATION_LETS_NOBODY_IN(Scene::forbidLogins, Scene::allowLogins);

  private static final int MOST_MS = 1_000;

  /** Longer than a worker's lease, and than most timeouts that somebody might think of. */
  private static final int MOST_LONG_MS = 12_000;

  private interface Act {
    void on(Scene scene) throws Exception;
  }

  private final Act begin;
  private final Act end;

  Fault(Act begin, Act end) {
    this.begin = begin;
    this.end = end;
  }

  /**
   * How long it lasts this time.
   *
   * @param isLong as in the field, rather than as in a test that everybody waits for
   */
  Duration lasts(Random random, boolean isLong) {
    return switch (this) {
      case BROKER_AWAY -> Duration.ofSeconds(isLong ? 60 : 15);
      case BROKER_KILLED, WORKER_KILLED, WALSENDERS_TERMINATED -> Duration.ZERO;
      default ->
          Duration.ofMillis(
              random.nextInt(isLong && random.nextInt(4) == 0 ? MOST_LONG_MS : MOST_MS));
    };
  }

  /**
   * The same faults in an order in which the last can strike a worker that is about to end: a
   * frozen one would have nobody who succeeds it.
   */
  static List<Fault> lastEndsByItself(List<Fault> faults) {
    List<Fault> ordered = new ArrayList<>(faults);
    int last = ordered.size() - 1;
    for (int i = last; ordered.get(last) == WORKER_FROZEN_WHILE_A_STANDBY_TAKES_OVER; i--) {
      Collections.swap(ordered, i, last);
    }
    return ordered;
  }

  /** Begins, lasts, and ends. */
  void strike(Scene scene, Duration lasting) throws Exception {
    begin.on(scene);
    try {
      TimeUnit.MILLISECONDS.sleep(lasting.toMillis());
    } finally {
      end.on(scene);
    }
  }
}
