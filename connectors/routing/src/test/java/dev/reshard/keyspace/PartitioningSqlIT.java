package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.HashBuckets.Function;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** A key has one bucket, whether Java places it or a server does. */
class PartitioningSqlIT {
  private static final int[] COUNTS = {1, 7, 16, 1024, HashBuckets.MAX_COUNT};

  @Test
  void javaAndSqlPlaceEveryKeyInTheSameBucket() throws SQLException {
    Random random = new Random(20260101);
    LongStream corners =
        LongStream.of(0, 1, -1, -7, Long.MAX_VALUE, Long.MIN_VALUE, Integer.MIN_VALUE, -65_536);
    List<String> bigints =
        LongStream.concat(corners, random.longs(2_000)).mapToObj(Long::toString).toList();
    List<String> integers = random.ints(500).mapToObj(Integer::toString).toList();
    List<String> smallints = List.of("-32768", "-1", "0", "32767");
    List<String> texts =
        new ArrayList<>(List.of("", " ", "ß", "ẞ", "日本語", "🦆🦆", "e\u0301", "'", "\\"));
    for (int i = 0; i < 500; i++) {
      texts.add(
          random
              .ints(random.nextInt(40), 1, 0x2fff)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString());
    }
    List<String> uuids =
        random.longs(500).mapToObj(l -> new UUID(l, random.nextLong()).toString()).toList();

    try (SandboxShards shards = SharedSandbox.shards(1);
        Connection connection = shards.get("a").connect(SandboxRole.RESHARD)) {
      for (int count : COUNTS) {
        HashBuckets modulo = new HashBuckets(Function.MODULO, count);
        compare(connection, modulo, "int8", bigints);
        compare(connection, modulo, "int4", integers);
        compare(connection, modulo, "int2", smallints);
        HashBuckets md5 = new HashBuckets(Function.MD5, count);
        compare(connection, md5, "int8", bigints);
        compare(connection, md5, "int4", integers);
        compare(connection, md5, "text", texts);
        compare(connection, md5, "varchar", texts);
        compare(connection, md5, "uuid", uuids);
      }
    }
  }

  private static void compare(
      Connection connection, Partitioning partitioning, String type, List<String> keys)
      throws SQLException {
    String sql =
        "SELECT k::text, %s, %s FROM unnest(?::%s[]) k"
            .formatted(
                partitioning.sql("k"), partitioning.sqlIn("k", even(partitioning.count())), type);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      Array array = connection.createArrayOf("text", keys.toArray());
      statement.setArray(1, array);
      int compared = 0;
      try (ResultSet row = statement.executeQuery()) {
        for (; row.next(); compared++) {
          String what = "%s of %s %s".formatted(partitioning.describe(), type, row.getString(1));
          int bucket = partitioning.bucketOf(row.getString(1));
          assertEquals(bucket, row.getInt(2), what);
          assertEquals(bucket % 2 == 0, row.getBoolean(3), what);
        }
      }
      assertEquals(keys.size(), compared);
    }
  }

  private static BucketSet even(int count) {
    return BucketSet.of(java.util.stream.IntStream.range(0, count).filter(b -> b % 2 == 0));
  }
}
