package dev.reshard.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.plan.Planner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpecReaderTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");

  /** Line numbers in the tests below count in this text. */
  private static final String SMALLEST =
      """
      migration: shop
      shards:
        a: jdbc:postgresql://ha/shop
        b: jdbc:postgresql://hb/shop
      control: a
      kafka: {bootstrap.servers: "k:9092"}
      keyspace:
        name: shop
        key: customer
        buckets: {function: modulo, count: 8}
        tables:
          sharded: [public.*]
      from: {a: 0 mod 1}
      to: {balance: [a, b]}
      """;

  @Test
  void whatIsLeftOutHasItsDefault() {
    Spec spec = read(SMALLEST);
    assertEquals("reshard", spec.shards().get(A).user());
    assertEquals(new Secret(""), spec.shards().get(A).password());
    assertEquals(new Spec.Topics("reshard", (short) 3), spec.topics());
    assertEquals(new Spec.Budget(Duration.ofMillis(250)), spec.budget());
    assertEquals(new Spec.Gates(Duration.ofSeconds(2), 0.001), spec.gates());
    assertEquals(new Spec.Shadow(200), spec.shadow());
    assertEquals(OptionalInt.empty(), spec.copy().workers());
    assertEquals(512 << 10, spec.copy().batchBytes());
    assertEquals(Duration.ofMinutes(5), spec.copy().timeout());
    assertEquals(ThrottleSpec.NONE, spec.throttle());
    assertEquals(List.of(), spec.keyspace().reference());
    assertEquals(List.of(), spec.keyspace().ignored());
    assertEquals(List.of(), spec.keyspace().acceptCrossShardUnique());
    assertEquals(Map.of(), spec.keyspace().keyOf());
    assertEquals(Map.of(A, BucketSet.range(0, 8)), spec.from());
    assertEquals(new Spec.Target.Balance(List.of(A, B)), spec.to());
  }

  @Test
  void anEmbeddedBrokerNeedsNoPropertiesAndHoldsTheOnlyCopy() {
    String client = "kafka: {bootstrap.servers: \"k:9092\"}";
    Spec spec = read(SMALLEST.replace(client, "kafka: embedded"));
    assertTrue(spec.embedsKafka());
    assertEquals(new Spec.Topics("reshard", (short) 1), spec.topics());
    assertFalse(spec.reachingKafka("127.0.0.1:1").embedsKafka());
    assertFalse(read(SMALLEST).embedsKafka());
    assertEquals(
        List.of("line 7: topics.replication: the embedded broker is the only one; leave it out"),
        problems(SMALLEST.replace(client, "kafka: embedded\ntopics: {replication: 3}")));
  }

  @Test
  void everyKeyIsRead() {
    Spec spec =
        read(
            """
            migration: shop-2
            login: {user: mover, password: one}
            shards:
              a: jdbc:postgresql://ha/shop
              b: {url: "jdbc:postgresql://hb/shop?ssl=true", user: other, password: two, disk_free: 200GB}
            control: b
            kafka: {bootstrap.servers: "k:9092", security.protocol: SSL}
            topics: {prefix: moves, replication: 1}
            keyspace:
              name: shop
              key: customer
              buckets: {function: md5, count: 16}
              tables:
                sharded: [public.*, sales.orders]
                key_of: {sales.orders: buyer}
                ignored_columns: {sales.orders: [note, legacy]}
                reference: [public.country]
                ignored: [public.audit]
                accept_cross_shard_unique: [sales.orders]
            from: {a: [0-14, 15]}
            to: {a: 0 mod 2, b: 1 mod 2}
            budget: {pause: 1s, wal: 50GB, max_row: 128MB}
            gates: {lag: 500ms, mismatch: 0.5%}
            shadow: {probe: 20/s}
            copy: {workers: 4, batch: 2MB, prefetch: 5, first: [sales.orders], timeout: 30s, snapshot: 2h}
            throttle:
              rate: [50MB/s, 2 chunks]
              windows:
                - {from: "06:00", to: "22:00", zone: Europe/Berlin, rate: 20MB/s}
                - {from: 22:00, to: "02:30", zone: UTC, rate: 10%}
              adaptive: {latency: 20ms}
              query: {sql: "SELECT 7", above: 3.5, rate: 500 rows/s}
            sequences: keep
            """);
    assertEquals("shop-2", spec.migration());
    assertTrue(spec.keepsSequences());
    assertEquals(
        new Spec.Shard(A, "jdbc:postgresql://ha/shop", "mover", new Secret("one")),
        spec.shards().get(A));
    assertEquals(
        new Spec.Shard(
            B,
            "jdbc:postgresql://hb/shop?ssl=true",
            "other",
            new Secret("two"),
            OptionalLong.of(200L << 30)),
        spec.shards().get(B));
    assertEquals(B, spec.control());
    assertEquals(new Secret("SSL"), spec.kafka().get("security.protocol"));
    assertEquals(new Spec.Topics("moves", (short) 1), spec.topics());
    TableId orders = new TableId("sales", "orders");
    assertEquals(
        new Spec.KeyspaceSpec(
            "shop",
            "customer",
            new HashBuckets(HashBuckets.Function.MD5, 16),
            List.of("public.*", "sales.orders"),
            Map.of(orders, "buyer"),
            List.of("public.country"),
            List.of("public.audit"),
            List.of("sales.orders"),
            Map.of(orders, Set.of("note", "legacy"))),
        spec.keyspace());
    assertEquals(Map.of(A, BucketSet.range(0, 16)), spec.from());
    assertEquals(
        new Spec.Target.Owners(
            Map.of(
                A,
                BucketSet.of(0, 2, 4, 6, 8, 10, 12, 14),
                B,
                BucketSet.of(1, 3, 5, 7, 9, 11, 13, 15))),
        spec.to());
    assertEquals(
        new Spec.Budget(Duration.ofSeconds(1), OptionalLong.of(50L << 30), 128L << 20),
        spec.budget());
    assertEquals(new Spec.Gates(Duration.ofMillis(500), 0.005), spec.gates());
    assertEquals(new Spec.Shadow(20), spec.shadow());
    assertEquals(
        new Spec.Copy(
            OptionalInt.of(4),
            2 << 20,
            5,
            List.of(orders),
            Duration.ofSeconds(30),
            Duration.ofHours(2)),
        spec.copy());
    assertEquals(
        new ThrottleSpec(
            List.of(Rate.parse("50MB/s"), Rate.parse("2 chunks")),
            List.of(
                new ThrottleSpec.Window(
                    LocalTime.of(6, 0),
                    LocalTime.of(22, 0),
                    ZoneId.of("Europe/Berlin"),
                    Rate.parse("20MB/s")),
                new ThrottleSpec.Window(
                    LocalTime.of(22, 0), LocalTime.of(2, 30), ZoneId.of("UTC"), Rate.share(0.1))),
            Optional.of(Duration.ofMillis(20)),
            Optional.of(new ThrottleSpec.Query("SELECT 7", 3.5, Rate.parse("500 rows/s")))),
        spec.throttle());
  }

  /** Each replaces a line of the smallest file, and gives exactly one problem at that line. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1  | migration: Shop                           | migration: 'Shop' must be 1-30 of a-z",
        "1  | migration: [shop]                         | migration must be one value",
        "3  | '  a: postgres://ha/shop'                 | shards.a: must begin with jdbc:postgresql://",
        "3  | '  a: jdbc:postgresql://ha/shop?password=x' | shards.a: user and password do not belong",
        "3  | '  a: jdbc:postgresql://me:secret@ha/shop' | shards.a: is not of the form jdbc:postgresql://host:port/database",
        "3  | '  a: jdbc:postgresql://ha:99999/shop?sslpassword=x' | shards.a: is not of the form jdbc:postgresql://host:port/database",
        "5  | control: c                                | control: there is no shard 'c' under shards",
        "6  | 'kafka: {}'                               | kafka.bootstrap.servers is missing",
        "6  | 'kafka: k1:9092'                          | kafka: must be client properties, as {bootstrap.servers: \"k1:9092\"}, or 'embedded'",
        "8  | '  name: a shop'                          | keyspace.name: 'a shop' must be",
        "10 | '  buckets: {function: crc23, count: 8}'  | keyspace.buckets.function: 'crc23' is not one of modulo, md5, crc32, murmur3, postgres; did you mean crc32? It must be",
        "10 | '  buckets: {function: Postgres, count: 8}' | keyspace.buckets.function: 'Postgres' is not one of modulo, md5, crc32, murmur3, postgres; did you mean postgres?",
        "10 | '  buckets: {function: postgres, count: 8}' | keyspace.buckets.type is missing",
        "10 | '  buckets: {function: postgres, count: 8, type: integer}' | keyspace.buckets.type: 'integer' is not one of bigint, text, uuid; bigint stands for",
        "10 | '  buckets: {function: md5, count: 8, type: text}' | keyspace.buckets.type: only function postgres has one",
        "10 | '  buckets: {function: md5, count: 8, sql: \"app.bucket_of({key})\"}' | keyspace.buckets.function: sql names your own function already; leave it out",
        "10 | '  buckets: {sql: \"app.bucket_of({key})\"}' | keyspace.buckets.count is missing",
        "10 | '  buckets: {sql: app.bucket_of(tenant_id), count: 8}' | keyspace.buckets.sql: 'app.bucket_of(tenant_id)' must be schema.function({key})",
        "10 | '  buckets: {sql: \"bucket_of({key})\", count: 8}' | keyspace.buckets.sql: 'bucket_of({key})' must be schema.function({key})",
        "10 | '  buckets: {sql: \"app.f({key}) % 8\", count: 8}' | keyspace.buckets.sql: 'app.f({key}) % 8' must be schema.function({key})",
        "10 | '  buckets: {sql: \"app.f({key})\", count: 70000}' | keyspace.buckets.count: the number of buckets must be",
        "10 | '  buckets: {count: 8}' | keyspace.buckets.function is missing",
        "10 | '  buckets: {function: md5, count: 8, seed: 1}' | keyspace.buckets.seed is unknown",
        "10 | '  buckets: {function: modulo, count: 70000}' | keyspace.buckets.count: the number of buckets must be",
        "10 | '  buckets: {function: modulo}'           | keyspace.buckets.count is missing",
        "12 | '    sharded: [orders]'                   | keyspace.tables.sharded: 'orders' must be schema.table",
        "12 | '    sharded: public.*'                   | keyspace.tables.sharded must be a list",
        "12 | '    sharded: []'                         | keyspace.tables.sharded: name at least one table",
        "13 | 'from: {c: 0 mod 1}'                      | from.c: there is no shard 'c'",
        "13 | 'from: {a: 1 mod 1}'                      | from.a: '1 mod 1': r must be less than n",
        "13 | 'from: {a: [0-6]}'                        | from: no shard owns the buckets [7]",
        "13 | 'from: {a: [0-7], b: [7]}'                | from: bucket 7 belongs to both a and b",
        "13 | 'from: {a: 0 mod 3}'                      | from.a: '0 mod 3': rows of one remainder are no set of buckets, for 8 buckets are no multiple of 3; set keyspace.buckets.count to a multiple, as 9",
        "13 | 'from: {a: 0 mod 65000}'                  | from.a: '0 mod 65000': rows of one remainder are no set of buckets, for 8 buckets are no multiple of 65000; set keyspace.buckets.count to a multiple, as 65000",
        "13 | 'from: {a: 0 mod 70000}'                  | from.a: '0 mod 70000': rows of one remainder are no set of buckets, for 8 buckets are no multiple of 70000; n can be 65536 at most",
        "13 | 'from: {a: 0 mod 0}'                      | from.a: '0 mod 0': r must be less than n",
        "13 | 'from: {a: all}'                          | from.a: 'all' is neither",
        "13 | 'from: {a: [0-8]}'                        | from.a: '0-8' is not within the buckets 0-7",
        "13 | 'from: {a: [5-2]}'                        | from.a: '5-2' is not within",
        "13 | 'from: {a: [99999999999]}'                | from.a: '99999999999' is no bucket",
        "13 | 'from: {a: 0 mod 99999999999}'            | from.a: '0 mod 99999999999' is neither",
        "14 | 'to: {balance: [a, c]}'                   | to.balance: there is no shard 'c'",
        "14 | 'to: {balance: []}'                       | to.balance: name the shards",
        "14 | 'to: {balance: [a, b], a: 0 mod 1}'       | to.a is unknown"
      })
  void aViolationIsNamedWithItsLine(int line, String text, String problem) {
    List<String> problems = problems(replaced(line, text));
    assertEquals(1, problems.size(), problems.toString());
    assertTrue(problems.get(0).startsWith("line " + line + ": " + problem), problems.get(0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{function: modulo, count: 1024}               | modulo into 1024",
        "{function: md5, count: 1024}                  | md5 into 1024",
        "{function: crc32, count: 1000}                | crc32 into 1000",
        "{function: murmur3, count: 7}                 | murmur3 into 7",
        "{function: postgres, count: 1024, type: bigint} | postgres hash of bigint into 1024",
        "{type: text, function: postgres, count: 1024} | postgres hash of text into 1024",
        "{function: postgres, count: 1024, type: uuid} | postgres hash of uuid into 1024",
        "{sql: \"app.bucket_of({key})\", count: 4096}   | app.bucket_of({key}) into 4096"
      })
  void everyFunctionIsRead(String buckets, String stored) {
    Spec spec = read(replaced(10, "  buckets: " + buckets));
    assertEquals(stored, spec.keyspace().buckets().describe());
  }

  @Test
  void aDirectorySaysWhoOwnsWhatAndKeysAreWrittenOut() {
    String directory =
        replaced(10, "  buckets: {directory: 'select tenant, shard from app.t'}")
            .replace("from: {a: 0 mod 1}\n", "")
            .replace("to: {balance: [a, b]}", "to: {b: [4711, \"x y\"]}");
    Spec spec = read(directory);
    assertEquals(
        "directory 'select tenant, shard from app.t'", spec.keyspace().buckets().describe());
    assertEquals(new Spec.Target.Keys(Map.of("4711", B, "x y", B)), spec.to());
    assertEquals(
        List.of(
            "line 10: keyspace.buckets.count: each key of a directory is a bucket; leave it out",
            "line 13: from: the directory says who owns what; leave it out",
            "line 14: to.c: there is no shard 'c' under shards; known: [a, b]",
            "line 14: to.b: '4711' stands twice"),
        problems(
            replaced(10, "  buckets: {directory: 'select 1', count: 8}")
                .replace("to: {balance: [a, b]}", "to: {c: [1], a: [4711], b: [4711]}")));
  }

  /** The file says {@code key % 4}, as the application does; 1024 buckets cut it finer. */
  @ParameterizedTest
  @ValueSource(strings = {"modulo", "md5", "crc32", "murmur3", "postgres, type: text"})
  void anApplicationsRemaindersAreAMapThatMovesNothing(String function) {
    String remainders = "{a: 0 mod 4, b: 1 mod 4, c: 2 mod 4, d: 3 mod 4}";
    Spec spec =
        read(
            SMALLEST
                .replace("modulo, count: 8", function + ", count: 1024")
                .replace(
                    "hb/shop\n",
                    "hb/shop\n  c: jdbc:postgresql://hc/shop\n  d: jdbc:postgresql://hd/shop\n")
                .replace("{a: 0 mod 1}", remainders)
                .replace("{balance: [a, b]}", remainders));
    assertEquals(256, spec.from().get(B).size());
    assertEquals(BucketSet.of(IntStream.range(0, 256).map(i -> 4 * i + 1)), spec.from().get(B));
    ShardMap map = ShardMap.of(1, 1024, spec.from());
    assertTrue(Planner.plan(map, spec.to()).isEmpty());
    for (int key = -9; key < 9; key++) {
      int bucket = spec.keyspace().buckets().bucketOf("" + key);
      assertEquals("abcd".charAt(bucket % 4) + "", map.ownerOf(bucket).name());
    }
  }

  @Test
  void theShardKeyOfATableCannotBeIgnored() {
    String tables = "tables:\n";
    assertEquals(
        List.of(
            "line 12: keyspace.tables.ignored_columns.sales.orders: the shard key cannot be ignored",
            "line 12: keyspace.tables.ignored_columns.sales.items: name at least one column, or leave the table out",
            "line 12: keyspace.tables.ignored_columns.items: 'items' must be schema.table or schema.*"),
        problems(
            SMALLEST.replace(
                tables,
                tables
                    + "    ignored_columns: {sales.orders: [note, customer], sales.items: [], items: [a]}\n")));
  }

  /** Each is added as line 15. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'budget: {pause: 250}'    | budget.pause: '250' is no time",
        "'budget: {pause: 99999999999999999999s}' | budget.pause: '999",
        "'budget: {pause: 0ms}'    | budget.pause: must be more than 0",
        "'gates: {lag: soon}'      | gates.lag: 'soon' is no time",
        "'gates: {mismatch: 0.1}'  | gates.mismatch: '0.1' is no share",
        "'gates: {mismatch: 101%}' | gates.mismatch: '101%' is no share",
        "'shadow: {probe: many}'   | shadow.probe: 'many' is not a whole number",
        "'shadow: {probe: -1}'     | shadow.probe: must be 0 or more",
        "'copy: {workers: 0}'      | copy.workers: must be at least 1",
        "'copy: {workers: 1, batch: 1GB}' | copy.batch: must be from 16KB to 16MB",
        "'copy: {timeout: 0s}'     | copy.timeout: must be more than 0",
        "'copy: {first: [orders]}' | copy.first: 'orders' must be schema.table",
        "'copy: {prefetch: 0}'     | copy.prefetch: must be at least 1",
        "'copy: {prefetch: 17}'    | copy.prefetch: must be at most 16",
        "'budget: {wal: much}'     | budget.wal: 'much' is no size",
        "'throttle: {rate: 50MB}'  | throttle.rate: '50MB' is no rate as 50MB/s",
        "'throttle: {rate: 101%}'  | throttle.rate: '101%' is more than all of it",
        "'throttle: {rate: 1.5 chunks}' | throttle.rate: '1.5 chunks': chunks are whole",
        "'throttle: {windows: 06:00}' | throttle.windows must be a list",
        "'throttle: {windows: [{from: 6 am, to: 07:00, zone: UTC, rate: 1MB/s}]}' | throttle.windows[1].from: '6 am' is no time of day",
        "'throttle: {windows: [{from: 06:00, to: 06:00, zone: UTC, rate: 1MB/s}]}' | throttle.windows[1].to: from and to are both 06:00",
        "'throttle: {windows: [{from: 06:00, to: 07:00, zone: Berlin, rate: 1MB/s}]}' | throttle.windows[1].zone: 'Berlin' is no time zone",
        "'throttle: {windows: [{from: 06:00, to: 07:00, zone: UTC}]}' | throttle.windows[1].rate is missing",
        "'throttle: {adaptive: {}}' | throttle.adaptive.latency is missing",
        "'throttle: {query: {above: 3}}' | throttle.query.sql is missing",
        "'throttle: {query: {sql: SELECT 1, above: x}}' | throttle.query.above: 'x' is no number",
        "'topics: {replication: 0}'     | topics.replication: must be at least 1",
        "'topics: {replication: 65537}' | topics.replication: must be at most 32767",
        "'topics: {prefix: my moves}'   | topics.prefix: 'my moves' cannot begin the name of a topic: letters, digits, '.', '_' and '-', 100 at most",
        "'sequences: share'        | sequences: 'share' is not 'keep'; leave it out, and destinations get ranges of ids of their own",
        "'login: reshard'          | login must be a mapping",
        "'budgets: {pause: 1s}'    | budgets is unknown; did you mean budget?",
        "'budget: {pauze: 1s}'     | budget.pauze is unknown; did you mean pause?",
        "'budget: {from: 1s}'      | budget.from is unknown; it belongs at the top level of the file, not into budget",
        "'control: b'              | control stands twice"
      })
  void anAddedViolationIsNamedWithItsLine(String text, String problem) {
    List<String> problems = problems(SMALLEST + text + "\n");
    assertEquals(1, problems.size(), problems.toString());
    assertTrue(problems.get(0).startsWith("line 15: " + problem), problems.get(0));
  }

  @Test
  void aKeyThatIsNearToNoneIsNotGuessed() {
    assertEquals(
        List.of("line 15: gates.colour is unknown", "line 16: zebra is unknown"),
        problems(SMALLEST + "gates: {colour: red}\nzebra: 1\n"));
  }

  @Test
  void allProblemsAreReportedAtOnce() {
    String text = replaced(5, "control: c").replace("k:9092", "${env:NO_SUCH_VARIABLE}");
    SpecException failure =
        assertThrows(
            SpecException.class, () -> SpecReader.parse("f.yaml", text + "copy: {workers: x}\n"));
    assertEquals(3, failure.problems().size(), failure.problems().toString());
    assertTrue(failure.getMessage().startsWith("f.yaml has 3 problems; nothing was changed:"));
    for (String line : List.of("line 5: control: ", "line 6: kafka.", "line 15: copy.workers: ")) {
      assertTrue(failure.getMessage().contains(line), failure.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "50MB/s, 50 MB/s",
    "1.5 GB/s, 1.5 GB/s",
    "2000kB/s, 2 MB/s",
    "20000 rows/s, 20000 rows/s",
    "800blocks/s, 800 blocks/s",
    "1 chunk, 1 chunk at a time",
    "2 chunks, 2 chunks at a time",
    "10%, 10 % of its free rate",
    "0MB/s, nothing"
  })
  void aRateIsToldAsPeopleWriteIt(String written, String told) {
    assertEquals(told, Rate.parse(written).toString());
  }

  @Test
  void withoutANumberThereIsOneWorkerForFourCoresAndFourAtMost() {
    Spec.Copy copy = read(SMALLEST).copy();
    assertEquals(1, copy.workersOn(1));
    assertEquals(2, copy.workersOn(8));
    assertEquals(4, copy.workersOn(64));
    assertEquals(7, new Spec.Copy(7).workersOn(64));
  }

  @Test
  void anEmptyFileMissesEverythingAtOnce() {
    List<String> problems = problems("");
    for (String key :
        List.of("migration", "control", "kafka.bootstrap.servers", "keyspace.name", "shards")) {
      assertTrue(
          problems.stream().anyMatch(p -> p.startsWith("line 1: " + key)),
          () -> key + " is not in " + problems);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'migration: [shop'        | not YAML",
        "'- migration'             | must be a mapping",
        "'? [a, b]\n: c'           | a key must be",
        "'a: *nobody'              | not YAML",
        "'a: x\1y'                  | not YAML"
      })
  void whatIsNoMappingIsRefusedWithALine(String text, String problem) {
    List<String> problems = problems(text);
    assertTrue(
        problems.stream().anyMatch(p -> p.matches("line \\d+: .*") && p.contains(problem)),
        problems.toString());
  }

  @Test
  void wordsThatYamlTakesForOthersStayWhatTheyAre() {
    Spec spec =
        read(
            SMALLEST
                .replace("  b: jdbc:postgresql://hb", "  no: jdbc:postgresql://hb")
                .replace("[a, b]", "[a, no]")
                .replace("key: customer", "key: on")
                .replace("name: shop", "name: off")
                .replace("migration: shop", "migration: null"));
    assertTrue(spec.shards().containsKey(new ShardId("no")));
    assertEquals(new Spec.Target.Balance(List.of(A, new ShardId("no"))), spec.to());
    assertEquals("on", spec.keyspace().key());
    assertEquals("off", spec.keyspace().name());
    assertEquals("null", spec.migration());
    assertEquals(
        "0123", read(SMALLEST + "login: {password: 0123}\n").shards().get(A).password().value());
  }

  @Test
  void secretsComeFromFilesAndTheEnvironmentAndAreNeverPrinted(@TempDir Path directory)
      throws IOException {
    Path file = Files.writeString(directory.resolve("password"), "hush$1\\\n");
    Spec spec = read(SMALLEST + "login: {user: '${env:PATH}', password: '${file:" + file + "}'}\n");
    assertEquals(System.getenv("PATH"), spec.shards().get(A).user());
    assertEquals("hush$1\\", spec.shards().get(A).password().value());
    assertFalse(spec.toString().contains("hush"), "a secret is printed");
    assertFalse(spec.toString().contains("k:9092"), "client properties may hold secrets");
  }

  @Test
  void aSecretThatCannotBeReadIsNamedNotShown() {
    assertEquals(
        List.of(
            "line 15: login.password: cannot read the file "
                + Path.of("no/such/file").toAbsolutePath()),
        problems(SMALLEST + "login: {password: '${file:no/such/file}'}\n"));
    assertEquals(
        List.of("line 15: login.password: the environment has no variable NO_SUCH_VARIABLE"),
        problems(SMALLEST + "login: {password: '${env:NO_SUCH_VARIABLE}'}\n"));
    List<String> problems =
        problems(replaced(3, "  a: jdbc:postgresql://ha/shop?user=me&password=hush"));
    assertFalse(problems.toString().contains("hush"), "a secret is printed");
  }

  @Test
  void aFileThatIsNotThereSaysHowToNameOne() {
    SpecException failure =
        assertThrows(SpecException.class, () -> SpecReader.read(Path.of("no-such-file.yaml")));
    assertEquals(
        "there is no no-such-file.yaml here; name it with -f FILE, or draft one with 'reshard init --url ..'",
        failure.getMessage());
  }

  private static Spec read(String text) {
    return SpecReader.parse("test.yaml", text);
  }

  private static List<String> problems(String text) {
    return assertThrows(SpecException.class, () -> read(text)).problems();
  }

  private static String replaced(int line, String text) {
    List<String> lines = new ArrayList<>(SMALLEST.lines().toList());
    lines.set(line - 1, text);
    return String.join("\n", lines) + "\n";
  }
}
