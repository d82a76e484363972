package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlanCommandTest {
  @Test
  void bucketsOfOneRemainderAreNotWrittenOut() {
    BucketSet even = BucketSet.of(IntStream.iterate(684, b -> b < 1024, b -> b + 2));
    assertEquals("[684, 686, .. 1022]", PlanCommand.shown(even));
    assertEquals("[0-3, 7, 9, 684, 686, .. 1022]", PlanCommand.shown(even.plus(few())));
  }

  @Test
  void manyRunsAreCutOff() {
    BucketSet scattered = BucketSet.of(IntStream.range(0, 40).map(b -> b * b));
    String shown = PlanCommand.shown(scattered);
    assertTrue(shown.startsWith("[0-1, 4, 9, 16, "), shown);
    assertTrue(shown.endsWith(", 400 and more]"), shown);
    assertEquals("[]", PlanCommand.shown(BucketSet.empty()));
  }

  private static BucketSet few() {
    return BucketSet.of(0, 1, 2, 3, 7, 9);
  }
}
