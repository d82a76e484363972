package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Checks that read rows. */
@Timeout(120)
class RowsIT {
  private CheckScene scene;

  @BeforeEach
  void aGoodShop() throws SQLException {
    scene = CheckScene.shop(2);
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  /** Both shards own four buckets; b gives two to a. */
  private void bothServe() {
    scene.moving(
        Map.of(CheckScene.A, BucketSet.range(0, 4), CheckScene.B, BucketSet.range(4, 8)),
        Map.of(CheckScene.A, BucketSet.range(0, 6), CheckScene.B, BucketSet.range(6, 8)));
  }

  @Test
  void rowsWhereTheMapSaysAreNoFinding() throws Exception {
    bothServe();
    scene.a().execute("INSERT INTO orders SELECT i, i % 4 FROM generate_series(1, 5000) i");
    scene.b().execute("INSERT INTO orders SELECT i, i % 4 + 4 FROM generate_series(1, 5000) i");
    scene.assertFindsNothing();
  }

  @Test
  void aWrongFunctionIsABlockerWithACountAndOneKey() throws Exception {
    bothServe();
    scene.a().execute("INSERT INTO orders SELECT i, i % 8 FROM generate_series(1, 400) i");
    scene.assertFinds(
        "BLOCKER  a: public.orders (100 of 400 rows, e.g. of customer 6): rows of buckets that belong to other shards: the map or the function is not your application's; correct keyspace.buckets or from");
  }

  @Test
  void ofALargeTableASampleFromAllOverItIsRead() throws Exception {
    bothServe();
    scene
        .a()
        .execute(
            "INSERT INTO orders SELECT i, CASE WHEN i > 150000 THEN 7 ELSE 0 END FROM generate_series(1, 300000) i",
            "ANALYZE orders");
    String found =
        scene.check().findings().stream()
            .filter(f -> f.what().startsWith("rows of buckets that belong to other shards"))
            .map(Finding::detail)
            .findFirst()
            .orElseThrow();
    assertTrue(found.matches("[0-9]+ of [0-9]+ rows, e.g. of customer 7"), found);
    int strays = Integer.parseInt(found.split(" ", -1)[0]);
    int looked = Integer.parseInt(found.split(" ", -1)[2]);
    assertTrue(looked > 500 && looked <= 1000, found);
    // half of them are, but a sample is of some pages only, and cut at its end
    assertTrue(strays > looked / 10 && strays < looked * 9 / 10, found);
  }

  @Test
  void aTableThatIsLockedIsANoteAndHoldsUpNothing() throws Exception {
    bothServe();
    try (Connection owner = scene.a().connectAsOwner();
        Statement statement = owner.createStatement()) {
      owner.setAutoCommit(false);
      Preflight.Result result =
          scene.with(
              checks -> {
                statement.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
                return Preflight.run(checks.all());
              });
      owner.rollback();
      List<String> lines = result.lines();
      assertTrue(
          lines.stream()
              .anyMatch(
                  l ->
                      l.startsWith(
                          "note  a: public.orders: no row could be looked at (no right, a lock, or no time)")),
          lines::toString);
    }
  }

  @Test
  void rowsOnADestinationThatOwnsNothingAreABlocker() throws Exception {
    scene.b().execute("INSERT INTO orders VALUES (1, 5)", "INSERT INTO country VALUES ('de')");
    scene.assertFinds("BLOCKER  b: public.orders: has rows, but the shard owns no bucket yet");
    scene.assertFinds("BLOCKER  b: public.country: has rows, but reference tables of a shard");
  }

  @Test
  void rowsOfComingBucketsOnAServingDestinationAreABlocker() throws Exception {
    bothServe();
    scene.a().execute("INSERT INTO orders VALUES (1, 1), (2, 5)");
    scene.assertFinds(
        "BLOCKER  a: public.orders: has rows of buckets that are about to come from other shards");
    scene.a().execute("DELETE FROM orders WHERE customer = 5");
    scene.assertFindsNothing();
  }

  /** Those of crc32 and murmur3 are not on the shards yet. */
  @ParameterizedTest
  @EnumSource
  void comingBucketsAreKnownWithoutTheFunctionsThatAWorkerMakes(HashBuckets.Function function)
      throws Exception {
    bothServe();
    Partitioning partitioning = new HashBuckets(function, 8);
    scene.placedBy(partitioning);
    String insert = "INSERT INTO orders VALUES (1, %d)";
    scene.a().execute(insert.formatted(keyOf(partitioning, 1)));
    scene.b().execute(insert.formatted(keyOf(partitioning, 7)));
    scene.assertFindsNothing();
    scene.a().execute(insert.formatted(keyOf(partitioning, 5)));
    scene.assertFinds(
        "BLOCKER  a: public.orders: has rows of buckets that are about to come from other shards");
  }

  private static long keyOf(Partitioning partitioning, int bucket) {
    return LongStream.iterate(0, key -> key + 1)
        .filter(key -> partitioning.bucketOf(Long.toString(key)) == bucket)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void whereOnlySomeRowsOfALargeTableWereLookedAtANoteSaysSo() throws Exception {
    bothServe();
    scene.placedBy(new HashBuckets(HashBuckets.Function.CRC32, 8));
    long key = keyOf(new HashBuckets(HashBuckets.Function.CRC32, 8), 1);
    scene
        .a()
        .execute(
            "INSERT INTO orders SELECT i, %d FROM generate_series(1, 100000) i".formatted(key),
            "ANALYZE orders");
    scene.assertFinds("note  a: public.orders: was not read in full to see whether it has rows");
  }

  @Test
  void rowsThatADirectoryDoesNotKnowAreANoteForTheyStay() throws Exception {
    bothServe();
    scene.placedBy(
        DirectoryBuckets.of("shop", "select customer, shard from t")
            .withKeys(List.of("0", "1", "2", "3", "4", "5", "6", "7")));
    scene.a().execute("INSERT INTO orders VALUES (1, 1), (2, 42)");
    scene.assertFinds(
        "note  a: public.orders (1 of 2 rows, e.g. of customer 42): rows whose key is not in your directory: they stay where they are");
    assertEquals(0, scene.check().findings().stream().filter(Finding::blocks).count());
  }

  @Test
  void aRowWithoutKeyIsABlocker() throws Exception {
    scene.shards.execute("CREATE TABLE visit (customer bigint)");
    scene.a().execute("INSERT INTO visit VALUES (NULL)");
    scene.assertFinds("BLOCKER  a: public.visit: has rows whose customer is NULL");
    assertEquals(
        List.of("ALTER TABLE \"public\".\"visit\" REPLICA IDENTITY FULL;"),
        scene.check().fixes().stream()
            .filter(l -> l.startsWith("ALTER"))
            .distinct()
            .limit(1)
            .toList());
  }
}
