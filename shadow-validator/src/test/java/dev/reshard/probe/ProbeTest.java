package dev.reshard.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.probe.Probe.Next;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProbeTest {
  private static final ProbedTable TABLE =
      new ProbedTable(new TableId("public", "orders"), "tenant_id", List.of(), "");

  private static Probe probe() {
    return new Probe(TABLE, List.of("1"), 0);
  }

  private static SourceLook source(String value, long bound, long oldestRunning) {
    return new SourceLook(value, value, new Lsn(bound), oldestRunning, 1);
  }

  private static DestinationLook destination(String value, long applied) {
    return new DestinationLook(value, value, new Lsn(applied), 1);
  }

  private static Next look(World world, Probe probe, int key) {
    SourceLook here = probe.pending().orElseGet(() -> world.lookAtSource(key));
    world.pass();
    Next next = probe.compare(here, world.lookAtDestination(key));
    world.pass();
    if (probe.needsHorizon()) {
      probe.horizon(world.nextTransaction());
    }
    return next;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void noLagIsTakenForADifference(long seed) {
    World world = new World(seed);
    Map<Next, Integer> seen = new EnumMap<>(Next.class);
    for (int i = 0; i < 20_000; i++) {
      Probe probe = probe();
      int key = i % World.keys();
      for (int looks = 0; looks < 10; looks++) {
        Next next = look(world, probe, key);
        seen.merge(next, 1, Integer::sum);
        if (next == Next.MATCHED) {
          break;
        }
        for (int wait = 0;
            wait < 30 && !probe.isReady(world.applied(), world.oldestRunning());
            wait++) {
          world.pass();
        }
      }
      world.pass();
    }
    assertEquals(0, seen.getOrDefault(Next.DIFFERS, 0), "seed " + seed + ": " + seen);
    assertTrue(seen.get(Next.BEHIND) > 500, "the lane was behind too seldom: " + seen);
    assertTrue(seen.get(Next.LOOK_AGAIN) > 500, "rows changed too seldom: " + seen);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aPlantedDifferenceIsFoundOnceItsRowIsProbed(long seed) {
    for (int i = 0; i < 50; i++) {
      World world = new World(seed * 1_000 + i);
      for (int passes = 0; passes < 100; passes++) {
        world.pass();
      }
      world.settle();
      boolean extra = world.sourceRow(0).digest() == null;
      world.damage(i % 2 == 0 || extra ? world.freshRow("damaged") : World.Row.NONE);
      Probe probe = probe();
      Next next = look(world, probe, 0);
      for (int looks = 0; looks < 20 && next != Next.DIFFERS; looks++) {
        world.settle();
        next = look(world, probe, 0);
      }
      assertEquals(Next.DIFFERS, next, "seed " + seed + ", world " + i);
    }
  }

  @Test
  void waitsForTheLaneWithoutReadingTheSourceAgain() {
    Probe probe = probe();
    assertEquals(Next.BEHIND, probe.compare(source("new", 50, 9), destination("old", 49)));
    assertEquals(50, probe.pending().orElseThrow().bound().value());
    assertFalse(probe.isReady(new Lsn(49), 1_000));
    assertTrue(probe.isReady(new Lsn(50), 9));
    assertEquals(Next.MATCHED, probe.compare(probe.pending().get(), destination("new", 51)));
  }

  @Test
  void waitsForTransactionsThatMayBeCommitting() {
    Probe probe = probe();
    assertEquals(Next.LOOK_AGAIN, probe.compare(source("x", 50, 9), destination("y", 60)));
    probe.horizon(12);
    assertFalse(probe.isReady(new Lsn(60), 11));
    assertEquals(Next.LOOK_AGAIN, probe.compare(source("x", 60, 11), destination("y", 60)));
    assertTrue(probe.isReady(new Lsn(60), 12));
    assertEquals(Next.DIFFERS, probe.compare(source("x", 60, 12), destination("y", 60)));
  }

  @Test
  void aRowThatChangedInBetweenBeginsAnew() {
    Probe probe = probe();
    assertEquals(Next.LOOK_AGAIN, probe.compare(source("x", 50, 9), destination("y", 60)));
    probe.horizon(9);
    assertEquals(Next.LOOK_AGAIN, probe.compare(source("z", 60, 9), destination("y", 60)));
    assertTrue(probe.needsHorizon());
  }
}
