package dev.reshard.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RoutesTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardId C = new ShardId("c");

  private final Routes adopted = Routes.of(stored(1, List.of(A, B), List.of(1L, 1L)));

  @Test
  void takesNewsOfOneBucketAndLeavesTheOthers() {
    Routes routes = adopted.with(new Refusal.Moved(0, C, 2));
    assertEquals(new Route(0, C, 2), routes.of(0));
    assertEquals(new Route(1, B, 1), routes.of(1));
  }

  @Test
  void ignoresWhatIsNotNewer() {
    Routes routes = adopted.with(new Refusal.Moved(0, C, 3));
    assertFalse(routes.isNews(new Refusal.Moved(0, B, 2)));
    assertFalse(routes.isNews(new Refusal.Moved(0, B, 3)));
    assertEquals(routes, routes.with(new Refusal.Moved(0, B, 3)));
  }

  @Test
  void ignoresBucketsThatDoNotExist() {
    assertFalse(adopted.isNews(new Refusal.Moved(2, C, 9)));
    assertFalse(adopted.isNews(new Refusal.Moved(-1, C, 9)));
  }

  @Test
  void aStoredMapThatLacksAMoveDoesNotUndoIt() {
    Routes routes =
        adopted.with(new Refusal.Moved(0, C, 3)).with(stored(2, List.of(A, C), List.of(1L, 2L)));
    assertEquals(new Route(0, C, 3), routes.of(0));
    assertEquals(new Route(1, C, 2), routes.of(1));
    assertTrue(routes.areAheadOfStored(Set.of(0, 1)));
    assertFalse(routes.areAheadOfStored(Set.of(1)));
  }

  @Test
  void anOldStoredMapChangesNothing() {
    Routes routes = Routes.of(stored(2, List.of(C, B), List.of(2L, 1L)));
    assertEquals(routes, routes.with(stored(1, List.of(A, B), List.of(1L, 1L))));
  }

  @Test
  void aStoredMapIsBelievedOverASaysoOfTheSameEpoch() {
    Routes routes =
        adopted.with(new Refusal.Moved(0, B, 3)).with(stored(3, List.of(C, B), List.of(3L, 1L)));
    assertEquals(new Route(0, C, 3), routes.of(0));
  }

  private static StoredMap stored(long epoch, List<ShardId> owners, List<Long> since) {
    return new StoredMap("shop", "modulo into 2", new ShardMap(epoch, owners), since);
  }
}
