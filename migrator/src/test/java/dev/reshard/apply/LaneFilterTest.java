package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneFilter.Fate;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.TableId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LaneFilterTest {
  private static final Source SHARDED =
      Source.of("s", List.of("tenant_id", "id"), List.of("tenant_id", "id"), "tenant_id");
  private static final Source REFERENCE =
      Source.of("r", List.of("code", "name"), List.of("code"), null);
  private static final Keyspace KEYSPACE =
      new Keyspace(
          "shop",
          HandMade.BUCKETS,
          List.of(new Keyspace.ShardedTable(new TableId("public", "s"), "tenant_id")),
          List.of(new TableId("public", "r")));
  private static final LaneFilter FILTER =
      new LaneFilter(BucketSet.of(1, 2), true, KEYSPACE, Set.of());
  private static final LaneFilter WITHOUT_REFERENCE =
      new LaneFilter(BucketSet.of(1, 2), false, KEYSPACE, Set.of());
  private static final LaneFilter REFERENCE_ONLY =
      new LaneFilter(BucketSet.empty(), true, KEYSPACE, Set.of());

  @Test
  void aRowIsInsertedWhenItEntersTheBucketsAndDeletedWhenItLeavesThem() {
    assertEquals(Fate.UPDATE, FILTER.of(SHARDED.update(row("1", "1"), "2", "1")));
    assertEquals(Fate.DELETE, FILTER.of(SHARDED.update(row("1", "1"), "5", "1")));
    assertEquals(Fate.INSERT, FILTER.of(SHARDED.update(row("5", "1"), "1", "1")));
    assertEquals(Fate.IGNORE, FILTER.of(SHARDED.update(row("5", "1"), "6", "1")));
  }

  @Test
  void insertsAndDeletesGoByTheirBucket() {
    assertEquals(Fate.INSERT, FILTER.of(SHARDED.insert("1", "1")));
    assertEquals(Fate.IGNORE, FILTER.of(SHARDED.insert("3", "1")));
    assertEquals(Fate.DELETE, FILTER.of(SHARDED.delete("2", "1")));
    assertEquals(Fate.IGNORE, FILTER.of(SHARDED.delete("0", "1")));
  }

  @Test
  void referenceTablesGoOnlyWithALaneThatCarriesThem() {
    assertEquals(Fate.INSERT, FILTER.of(REFERENCE.insert("x", "y")));
    assertEquals(Fate.UPDATE, FILTER.of(REFERENCE.update(row("x", null), "x", "z")));
    assertEquals(Fate.DELETE, FILTER.of(REFERENCE.delete("x", null)));
    assertEquals(Fate.TRUNCATE, FILTER.of(REFERENCE.truncate()));
    assertEquals(Fate.IGNORE, WITHOUT_REFERENCE.of(REFERENCE.insert("x", "y")));
    assertEquals(Fate.IGNORE, WITHOUT_REFERENCE.of(REFERENCE.truncate()));
  }

  @Test
  void aLaneWithoutBucketsTakesNothingOfShardedTables() {
    assertEquals(Fate.IGNORE, REFERENCE_ONLY.of(SHARDED.insert("1", "1")));
    assertEquals(Fate.IGNORE, REFERENCE_ONLY.of(SHARDED.truncate()));
    assertEquals(Fate.INSERT, REFERENCE_ONLY.of(REFERENCE.insert("x", "y")));
  }

  @Test
  void aChangeOfAMutedBucketIsAViolationWhicheverSideItTouches() {
    BucketSet muted = BucketSet.of(2);
    assertTrue(FILTER.isViolation(SHARDED.insert("2", "1"), muted));
    assertTrue(FILTER.isViolation(SHARDED.delete("2", "1"), muted));
    assertTrue(FILTER.isViolation(SHARDED.update(row("2", "1"), "9", "1"), muted));
    assertTrue(FILTER.isViolation(SHARDED.update(row("9", "1"), "2", "1"), muted));
    assertTrue(FILTER.isViolation(SHARDED.truncate(), muted));
    assertFalse(FILTER.isViolation(SHARDED.insert("1", "1"), muted));
    assertFalse(FILTER.isViolation(REFERENCE.truncate(), muted));
    assertFalse(FILTER.isViolation(REFERENCE.insert("2", "1"), muted));
  }

  @Test
  void aTableThatTheKeyspaceDoesNotKnowIsAnError() {
    Source unknown = Source.of("u", List.of("id"), List.of("id"), "id");
    assertThrows(LaneException.class, () -> FILTER.of(unknown.insert("1")));
  }
}
