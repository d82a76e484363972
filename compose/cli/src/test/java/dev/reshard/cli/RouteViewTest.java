package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.routing.StoredMap;
import dev.reshard.spec.Spec;
import dev.reshard.spec.SpecReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteViewTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");
  private static final ShardMap FILE =
      ShardMap.of(1, 8, Map.of(A, BucketSet.range(0, 4), B, BucketSet.range(4, 8)));

  private static final ShardMap STORED = ShardMap.of(4, 8, Map.of(A, BucketSet.range(0, 8)));

  @TempDir private Path folder;
  private Spec spec;

  @BeforeEach
  void readFile() throws Exception {
    spec =
        SpecReader.read(
            Files.writeString(
                folder.resolve("migration.yaml"),
                """
                migration: shop
                login: { user: reshard, password: "hush" }
                shards: { a: "jdbc:postgresql://pg-a:5432/shop?sslmode=require", b: "jdbc:postgresql://pg-b:5433/shop" }
                control: a
                kafka: { bootstrap.servers: "k1:9093" }
                topics: { replication: 1 }
                keyspace:
                  name: shop
                  key: tenant_id
                  buckets: { function: modulo, count: 8 }
                  tables: { sharded: [ "public.*" ], reference: [ public.plans ] }
                from: { a: [0-3], b: [4-7] }
                to: { balance: [a, b] }
                """));
  }

  @Test
  void aStoredMapSaysOwnerEpochAndAddress() {
    List<String> lines = RouteView.lines("13", spec, stored(), STORED);
    assertEquals(
        List.of(
            "bucket    5   (modulo into 8)",
            "owner     a",
            "epoch     4   (a owns it since epoch 3)",
            "address   jdbc:postgresql://pg-a:5432/shop"),
        lines);
  }

  @Test
  void withoutAStoredMapTheFileCountsAndItSaysSo() {
    List<String> lines = RouteView.lines("13", spec, Optional.empty(), FILE);
    assertEquals("owner     b", lines.get(1));
    assertTrue(lines.get(2).contains("no map is stored yet"), lines::toString);
  }

  @Test
  void aKeyThatTheFunctionCannotPlaceIsRefused() {
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class,
            () -> RouteView.lines("thirteen", spec, Optional.empty(), FILE));
    assertEquals(
        "'thirteen' is no key that 'modulo into 8' can place: it is not an integer",
        refusal.getMessage());
  }

  @Test
  void anAddressHasNoCredentials() {
    Spec.Shard shard =
        new Spec.Shard(
            A,
            "jdbc:postgresql://eve:hush@pg:5432/shop?password=hush&user=eve",
            "eve",
            spec.shards().get(A).password());
    assertEquals("jdbc:postgresql://pg:5432/shop", RouteView.address(shard));
  }

  @Test
  void aTableIsKnownByItsNameAndAStrangerIsRefused() {
    Keyspace keyspace =
        new Keyspace(
            "shop",
            new HashBuckets(HashBuckets.Function.MODULO, 8),
            List.of(new ShardedTable(new TableId("public", "tenants"), "id")),
            List.of(new TableId("public", "plans")));
    assertEquals("table     public.tenants, by column id", RouteView.table("tenants", keyspace, A));
    assertTrue(RouteView.table("public.plans", keyspace, A).contains("writes go to a"));
    assertThrows(IllegalArgumentException.class, () -> RouteView.table("public.jobs", keyspace, A));
  }

  private static Optional<StoredMap> stored() {
    return Optional.of(
        new StoredMap("shop", "modulo into 8", STORED, List.of(1L, 1L, 1L, 1L, 1L, 3L, 4L, 1L)));
  }
}
