package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Keys that are text, many buckets, and names that must be quoted. */
class OddTablesIT {
  private static final Partitioning MD5 = new HashBuckets(HashBuckets.Function.MD5, 1024);
  private static final String TABLE = "Bestellung \"neu\"";
  private static final String KEY = "Mandant's $1 %s";

  @Test
  void everyKeyIsRefusedExactlyWhereItsBucketMoves() throws SQLException {
    TableId table = new TableId("public", TABLE);
    Keyspace keyspace = new Keyspace("shop", MD5, List.of(new ShardedTable(table, KEY)), List.of());
    BucketSet moving = BucketSet.of(IntStream.range(0, 1024).filter(b -> b % 3 == 0));
    Unit unit =
        new Unit(
            "shop", "odd \"one\" '", List.of(new Move(GuardedShard.A, GuardedShard.B, moving)));
    try (GuardedShard a =
            GuardedShard.create(
                GuardedShard.A,
                List.of(
                    "CREATE TABLE %s (gone int, %s text PRIMARY KEY, note text)"
                        .formatted(table.quoted(), TableId.quote(KEY)),
                    "ALTER TABLE %s DROP COLUMN gone".formatted(table.quoted())),
                keyspace);
        Connection app = a.app();
        PreparedStatement insert =
            app.prepareStatement("INSERT INTO %s VALUES (?, 'x')".formatted(table.quoted()))) {
      a.arming().arm(a.ours, GuardedShard.A, unit, 1);
      Guard guard = new Guard(unit, a.worker);
      guard.fence(a.ours, 1, GuardedShard.BUDGET);
      assertEquals(List.of(), guard.waitForWriters(a.ours, Duration.ofSeconds(10)));
      for (int i = 0; i < 200; i++) {
        String key = "müller " + i;
        insert.setString(1, key);
        int bucket = MD5.bucketOf(key);
        if (moving.contains(bucket)) {
          SQLException refused = assertThrows(SQLException.class, insert::execute);
          assertEquals(Guard.REFUSED_WRITE, refused.getSQLState());
          assertEquals(true, refused.getMessage().contains("bucket " + bucket + " is being moved"));
        } else {
          insert.execute();
        }
      }
      guard.lift(a.ours, 1);
      assertEquals(List.of(), Probe.problems(a.ours, keyspace, unit));
      a.arming().disarm(a.ours, GuardedShard.A, unit, GuardedShard.MAP);
    }
  }
}
