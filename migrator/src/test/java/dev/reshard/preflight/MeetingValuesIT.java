package dev.reshard.preflight;

import dev.reshard.keyspace.BucketSet;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shards a and b both give buckets to c, where a value of both would be one too many. */
@Timeout(120)
class MeetingValuesIT {
  private static final String NOTE =
      "note  a, b, c: public.basket (basket_pkey): unique per shard only, as the key lacks the shard key customer ";

  private CheckScene scene;

  @BeforeEach
  void twoSourcesAndOneDestination() throws SQLException {
    scene =
        CheckScene.shop(3)
            .moving(
                Map.of(CheckScene.A, BucketSet.range(0, 4), CheckScene.B, BucketSet.range(4, 8)),
                Map.of(
                    CheckScene.A,
                    BucketSet.range(0, 2),
                    CheckScene.B,
                    BucketSet.range(4, 6),
                    CheckScene.C,
                    BucketSet.of(2, 3, 6, 7)))
            .acceptingCrossShardUnique("basket");
    scene.shards.execute(
        "CREATE TABLE basket (id bigint PRIMARY KEY, customer bigint NOT NULL, email text)");
  }

  @AfterEach
  void drop() throws SQLException {
    scene.close();
  }

  @Test
  void theSameValueOnTwoShardsThatMeetIsABlockerThoughAccepted() throws Exception {
    scene.a().execute("INSERT INTO basket SELECT i, 2 FROM generate_series(1, 100) i");
    scene.b().execute("INSERT INTO basket SELECT i, 7 FROM generate_series(91, 200) i");
    scene.assertFinds(
        "BLOCKER  public.basket (basket_pkey: 10 of 100 values, e.g. of customer 2 on a and 7 on b): rows that come together have the same value of a unique key");
  }

  @Test
  void valuesOfRowsThatStayApartDoNotMeet() throws Exception {
    scene.a().execute("INSERT INTO basket SELECT i, 0 FROM generate_series(1, 100) i");
    scene.b().execute("INSERT INTO basket SELECT i, 7 FROM generate_series(1, 100) i");
    scene.assertFinds(NOTE + "(all values that will meet were compared: no two are the same now)");
  }

  @Test
  void ofLargeTablesASampleIsComparedAndTheNoteSaysSo() throws Exception {
    scene
        .a()
        .execute("INSERT INTO basket SELECT i, 2 FROM generate_series(1, 100000) i", "ANALYZE");
    scene
        .b()
        .execute("INSERT INTO basket SELECT -i, 7 FROM generate_series(1, 100000) i", "ANALYZE");
    scene.assertFinds(
        NOTE + "(a sample of the values that will meet was compared: no two are the same)");
  }

  @Test
  void expressionsAndPartialIndexesAreCompared() throws Exception {
    scene.shards.execute(
        "CREATE UNIQUE INDEX by_email ON basket (lower(email), (id / 1000)) WHERE email <> 'nobody'");
    scene.a().execute("INSERT INTO basket VALUES (1, 2, 'Ann@x'), (2, 2, 'nobody'), (3, 2, NULL)");
    scene
        .b()
        .execute("INSERT INTO basket VALUES (11, 7, 'aNN@x'), (12, 7, 'nobody'), (13, 7, NULL)");
    scene.assertFinds(
        "BLOCKER  public.basket (by_email: 1 of 1 values, e.g. of customer 2 on a and 7 on b)");
  }
}
