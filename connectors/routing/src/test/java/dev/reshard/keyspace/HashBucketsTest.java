package dev.reshard.keyspace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.HashBuckets.Function;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** That the SQL says the same is proved on a server, by {@code PartitioningSqlIT}. */
class HashBucketsTest {
  private static final HashBuckets MODULO = new HashBuckets(Function.MODULO, 8);
  private static final HashBuckets MD5 = new HashBuckets(Function.MD5, 1024);

  @Test
  void moduloIsNeverNegative() {
    assertEquals(7, MODULO.bucketOf("-1"));
    assertEquals(0, MODULO.bucketOf("-8"));
    assertEquals(0, MODULO.bucketOf(Long.MIN_VALUE));
    assertEquals(7, MODULO.bucketOf(Long.MAX_VALUE));
  }

  @Test
  void aKeyAsNumberAndAsTextLiesInTheSameBucket() {
    for (long key : new long[] {0, 1, -1, 42, Long.MIN_VALUE, Long.MAX_VALUE}) {
      for (Function function : Function.values()) {
        HashBuckets buckets = new HashBuckets(function, 1024);
        assertEquals(buckets.bucketOf(key), buckets.bucketOf(Long.toString(key)));
      }
    }
  }

  @Test
  void md5TakesTheFirst32BitsOfTheDigest() {
    assertEquals((int) (0xd41d8cd9L % 1024), MD5.bucketOf(""));
    assertEquals((int) (0x90015098L % 1000), new HashBuckets(Function.MD5, 1000).bucketOf("abc"));
  }

  /** The check value of the catalogue of CRC algorithms, and zlib's of the empty string. */
  @Test
  void crc32IsZlibs() {
    HashBuckets crc32 = new HashBuckets(Function.CRC32, 65_521);
    assertEquals((int) (0xcbf43926L % 65_521), crc32.bucketOf("123456789"));
    assertEquals(0, crc32.bucketOf(""));
  }

  /** Published vectors of MurmurHash3_x86_32 with seed 0; the third has its highest bit set. */
  @Test
  void murmur3IsTheVariantOf32BitsWithSeedZeroAndUnsigned() {
    HashBuckets murmur3 = new HashBuckets(Function.MURMUR3, 65_521);
    assertEquals(0, murmur3.bucketOf(""));
    assertEquals((int) (0x248bfa47L % 65_521), murmur3.bucketOf("hello"));
    assertEquals((int) (0xba6bd213L % 65_521), murmur3.bucketOf("test"));
    assertEquals(
        (int) (0x2e4ff723L % 65_521),
        murmur3.bucketOf("The quick brown fox jumps over the lazy dog"));
  }

  /** So an application's {@code hash % 4} can be cut into 1024 buckets without moving a row. */
  @Test
  void theBucketsOfOneRemainderHoldTheRowsThatACoarserHashPutTogether() {
    Random random = new Random(4);
    for (int i = 0; i < 5_000; i++) {
      for (int n = 0; n < Partitionings.into(4).size(); n++) {
        Partitioning coarse = Partitionings.into(4).get(n);
        Partitioning fine = Partitionings.into(1024).get(n);
        String key =
            coarse.describe().contains("uuid")
                ? new UUID(random.nextLong(), random.nextLong()).toString()
                : Long.toString(random.nextLong());
        assertEquals(coarse.bucketOf(key), fine.bucketOf(key) % 4, coarse.describe() + key);
      }
    }
  }

  @Test
  void whatModuloCannotPlaceIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> MODULO.bucketOf("x"));
    assertThrows(IllegalArgumentException.class, () -> MODULO.bucketOf("9223372036854775808"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modulo  | smallint integer bigint",
        "md5     | smallint integer bigint numeric(20,0) text character_varying(9) uuid",
        "crc32   | smallint integer bigint numeric(20,0) text character_varying(9) uuid",
        "murmur3 | smallint integer bigint numeric(20,0) text character_varying(9) uuid",
        "bigint  | smallint integer bigint",
        "text    | text character_varying(9)",
        "uuid    | uuid"
      })
  void onlyTypesWithOneBucketForEachKeyAreAccepted(String which, String accepted) {
    Partitioning partitioning =
        Partitionings.into(8).stream()
            .filter(p -> p.describe().matches("(postgres hash of )?" + which + " .*"))
            .findFirst()
            .orElseThrow();
    String all =
        "smallint integer bigint numeric(20,0) text character_varying(9) uuid"
            + " numeric numeric(9,2) character(9) \"char\" boolean date real bytea text[] public.citext";
    for (String type : all.split(" ", -1)) {
      Optional<String> objection = partitioning.objectionTo(type.replace('_', ' '));
      assertEquals(
          (" " + accepted + " ").contains(" " + type + " "), objection.isEmpty(), which + type);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, HashBuckets.MAX_COUNT + 1})
  void theNumberOfBucketsIsBounded(int count) {
    assertThrows(IllegalArgumentException.class, () -> Partitionings.into(count));
    assertThrows(
        IllegalArgumentException.class,
        () -> new PostgresBuckets(PostgresBuckets.Type.UUID, count));
  }

  @Test
  void noTwoPartitioningsAreStoredUnderTheSameWords() {
    assertEquals(
        2L * Partitionings.into(8).size(),
        Stream.of(8, 16)
            .flatMap(count -> Partitionings.into(count).stream())
            .map(Partitioning::describe)
            .distinct()
            .count());
  }

  @Test
  void aUuidThatPostgresWouldNotWriteIsRefused() {
    PostgresBuckets uuid = new PostgresBuckets(PostgresBuckets.Type.UUID, 8);
    assertThrows(IllegalArgumentException.class, () -> uuid.bucketOf("1-1-1-1-1"));
    assertThrows(IllegalArgumentException.class, () -> uuid.bucketOf("x".repeat(36)));
  }
}
