package dev.reshard.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.Partitionings;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShardMapStoreIT {
  private static final HashBuckets MODULO_4 = new HashBuckets(HashBuckets.Function.MODULO, 4);
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardMap FIRST =
      ShardMap.of(1, 4, Map.of(A, BucketSet.range(0, 2), B, BucketSet.range(2, 4)));
  private static final Move MOVE = new Move(A, B, BucketSet.of(1));

  private SandboxShards shards;
  private Connection control;

  @BeforeEach
  void connect() throws SQLException {
    shards = SharedSandbox.shards(1);
    control = shards.get("a").connect(SandboxRole.RESHARD);
  }

  @AfterEach
  void drop() throws SQLException {
    control.close();
    shards.close();
  }

  @Test
  void adoptsOnceAndFindsTheSameAgain() throws SQLException {
    assertEquals(Optional.empty(), ShardMapStore.load(control, "shop"));
    StoredMap stored = ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    assertEquals(FIRST, stored.map());
    assertEquals(List.of(1L, 1L, 1L, 1L), stored.since());
    assertEquals(stored, ShardMapStore.adopt(control, "shop", MODULO_4, FIRST));
    assertEquals(Optional.of(stored), ShardMapStore.load(control, "shop"));
    assertTrue(control.getAutoCommit());
  }

  @Test
  void refusesAnotherMapNamingBoth() throws SQLException {
    ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    ShardMap other = FIRST.with(List.of(MOVE), 1);
    String message =
        assertThrows(
                MapConflictException.class,
                () -> ShardMapStore.adopt(control, "shop", MODULO_4, other))
            .getMessage();
    assertTrue(message.contains("buckets [1] belong to a, given as b's"), message);
    assertEquals(FIRST, ShardMapStore.load(control, "shop").orElseThrow().map());
  }

  @Test
  void refusesAnotherPartitioningNamingBoth() throws SQLException {
    ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    HashBuckets other = new HashBuckets(HashBuckets.Function.MD5, 4);
    String message =
        assertThrows(
                MapConflictException.class,
                () -> ShardMapStore.adopt(control, "shop", other, FIRST))
            .getMessage();
    assertTrue(message.contains("'modulo into 4'") && message.contains("'md5 into 4'"), message);
  }

  @Test
  void theKeysOfADirectoryAreStoredAndOthersAreRefused() throws SQLException {
    DirectoryBuckets unread = DirectoryBuckets.of("shop", "select id, shard from t");
    DirectoryBuckets read = unread.withKeys(List.of("10", "9", "a'b", "ä"));
    for (int again = 0; again < 2; again++) {
      ShardMapStore.adopt(control, "shop", read, FIRST);
    }
    assertEquals(
        read.keys(), ((DirectoryBuckets) ShardMapStore.withKeys(control, "shop", unread)).keys());
    assertThrows(
        MapConflictException.class,
        () ->
            ShardMapStore.adopt(
                control, "shop", unread.withKeys(List.of("10", "9", "a'b", "b")), FIRST));
    assertThrows(
        IllegalArgumentException.class, () -> ShardMapStore.withKeys(control, "other", unread));
  }

  @Test
  void aStoredMapRefusesEveryOtherFunctionTypeAndCount() throws SQLException {
    List<Partitioning> all = new ArrayList<>(Partitionings.into(4));
    all.addAll(Partitionings.into(8));
    all.add(SqlBuckets.of("app.bucket_of({key})", 4));
    all.add(SqlBuckets.of("app.bucket_of({key})", 8));
    all.add(SqlBuckets.of("app.place({key})", 4));
    List<String> keys = List.of("1", "2", "3", "4");
    all.add(DirectoryBuckets.of("shop", "select id, shard from t").withKeys(keys));
    all.add(DirectoryBuckets.of("shop", "select id, shard from other").withKeys(keys));
    for (Partitioning stored : Partitionings.into(4)) {
      String keyspace = stored.describe().replace(' ', '-');
      StoredMap first = ShardMapStore.adopt(control, keyspace, stored, FIRST);
      for (Partitioning given : all) {
        if (!given.equals(stored)) {
          ShardMap map =
              ShardMap.of(1, given.count(), Map.of(A, BucketSet.range(0, given.count())));
          MapConflictException refusal =
              assertThrows(
                  MapConflictException.class,
                  () -> ShardMapStore.adopt(control, keyspace, given, map));
          assertTrue(refusal.getMessage().contains("'" + stored.describe() + "'"));
          assertTrue(refusal.getMessage().contains("'" + given.describe() + "'"));
        }
      }
      assertEquals(Optional.of(first), ShardMapStore.load(control, keyspace));
    }
  }

  @Test
  void movesBucketsAtTheNextEpochAndOnlyThem() throws SQLException {
    ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    StoredMap moved = ShardMapStore.move(control, "shop", List.of(MOVE), 1);
    assertEquals(FIRST.with(List.of(MOVE), 2), moved.map());
    assertEquals(List.of(1L, 2L, 1L, 1L), moved.since());
    assertEquals(
        List.of("0 a 1", "1 b 2", "2 b 1", "3 b 1"),
        shards
            .get("a")
            .query(
                "SELECT concat_ws(' ', bucket, owner, epoch) FROM reshard.owners ORDER BY bucket"));
  }

  @Test
  void movingAgainChangesNothing() throws SQLException {
    ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    StoredMap moved = ShardMapStore.move(control, "shop", List.of(MOVE), 1);
    assertEquals(moved, ShardMapStore.move(control, "shop", List.of(MOVE), 1));
  }

  @Test
  void refusesToMoveFromAnotherEpochOrAnotherOwner() throws SQLException {
    StoredMap first = ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    assertThrows(
        MapConflictException.class, () -> ShardMapStore.move(control, "shop", List.of(MOVE), 2));
    Move notAs = new Move(A, B, BucketSet.of(1, 2));
    assertThrows(
        MapConflictException.class, () -> ShardMapStore.move(control, "shop", List.of(notAs), 1));
    assertThrows(
        MapConflictException.class, () -> ShardMapStore.move(control, "nobody", List.of(MOVE), 1));
    assertEquals(Optional.of(first), ShardMapStore.load(control, "shop"));
  }

  @Test
  void takesPartInTheCallersTransaction() throws SQLException {
    StoredMap first = ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    control.setAutoCommit(false);
    ShardMapStore.move(control, "shop", List.of(MOVE), 1);
    control.rollback();
    assertEquals(Optional.of(first), ShardMapStore.load(control, "shop"));
  }

  @Test
  void anApplicationMayReadTheMapButNotChangeIt() throws SQLException {
    StoredMap first = ShardMapStore.adopt(control, "shop", MODULO_4, FIRST);
    try (Connection app = shards.get("a").connect(SandboxRole.APP);
        Statement statement = app.createStatement()) {
      assertEquals(Optional.of(first), ShardMapStore.load(app, "shop"));
      assertThrows(
          SQLException.class, () -> statement.execute("UPDATE reshard.keyspace SET epoch = 9"));
    }
  }
}
