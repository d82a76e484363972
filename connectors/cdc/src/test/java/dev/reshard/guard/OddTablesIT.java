package dev.reshard.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every function, keys of several types, many buckets, and names that must be quoted. */
class OddTablesIT {
  private static final String TABLE = "Bestellung \"neu\"";
  private static final String KEY = "Mandant's $1 %s";

  static List<Arguments> functions() {
    List<Arguments> functions = new ArrayList<>();
    for (HashBuckets.Function function : HashBuckets.Function.values()) {
      String type = function == HashBuckets.Function.MODULO ? "bigint" : "text";
      functions.add(Arguments.of(new HashBuckets(function, 1024), type));
    }
    for (PostgresBuckets.Type type : PostgresBuckets.Type.values()) {
      functions.add(Arguments.of(new PostgresBuckets(type, 1000), type.word()));
    }
    return functions;
  }

  private static String key(int i, String type) {
    return switch (type) {
      case "bigint" -> Integer.toString(i - 100);
      case "uuid" -> new UUID(i, -i).toString();
      default -> "müller " + i;
    };
  }

  @ParameterizedTest
  @MethodSource("functions")
  void everyKeyIsRefusedExactlyWhereItsBucketMoves(Partitioning partitioning, String type)
      throws SQLException {
    TableId table = new TableId("public", TABLE);
    Keyspace keyspace =
        new Keyspace("shop", partitioning, List.of(new ShardedTable(table, KEY)), List.of());
    BucketSet all = BucketSet.range(0, partitioning.count());
    BucketSet moving =
        BucketSet.of(IntStream.range(0, partitioning.count()).filter(b -> b % 3 == 0));
    Unit unit =
        new Unit(
            "shop", "odd \"one\" '", List.of(new Move(GuardedShard.A, GuardedShard.B, moving)));
    try (GuardedShard a =
            GuardedShard.create(
                GuardedShard.A,
                List.of(
                    "CREATE TABLE %s (gone int, %s %s PRIMARY KEY, note text)"
                        .formatted(table.quoted(), TableId.quote(KEY), type),
                    "ALTER TABLE %s DROP COLUMN gone".formatted(table.quoted())),
                keyspace);
        Connection app = a.app();
        PreparedStatement insert =
            app.prepareStatement(
                "INSERT INTO %s VALUES (?::%s, 'x')".formatted(table.quoted(), type))) {
      GuardedShard.execute(app, "SET search_path = ''");
      a.arming().arm(a.ours, GuardedShard.A, unit, 1);
      Guard guard = new Guard(unit, a.worker);
      guard.fence(a.ours, 1, GuardedShard.BUDGET);
      assertEquals(List.of(), guard.waitForWriters(a.ours, Duration.ofSeconds(10)));
      for (int i = 0; i < 200; i++) {
        String key = key(i, type);
        insert.setString(1, key);
        int bucket = partitioning.bucketOf(key);
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
      ShardMap map = ShardMap.of(1, partitioning.count(), Map.of(GuardedShard.A, all));
      a.arming().disarm(a.ours, GuardedShard.A, unit, map);
    }
  }
}
