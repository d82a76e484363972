package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.control.MigrationState;
import dev.reshard.demo.CheckReport;
import dev.reshard.demo.DemoChecker;
import dev.reshard.demo.DemoClients;
import dev.reshard.demo.DemoLedger;
import dev.reshard.demo.DemoLoad;
import dev.reshard.finish.ShardLeftovers;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.SqlBuckets;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.routing.DatabaseAddress;
import dev.reshard.routing.RouterConfig;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.routing.ShardRouter;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import dev.reshard.spec.SpecReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;

/**
 * The demo's tables with a few rows on fresh shards, clients that write to them through the router,
 * and a migration file. The commands are the product's own. Confined to one thread.
 */
public final class Shop implements AutoCloseable {
  public static final HashBuckets BUCKETS = new HashBuckets(HashBuckets.Function.MODULO, 32);
  private static final String MODULO = "function: modulo, count: 32";
  private static final long ROWS = 5_000;
  private static final int CLIENTS = 4;
  private static final int TRANSACTIONS_PER_SECOND = 60;

  /** Where the program reaches the servers; clients and checks go straight to the shards. */
  public interface Network {
    String url(SandboxShard shard);

    String bootstrapServers();
  }

  private static final Network DIRECT =
      new Network() {
        @Override
        public String url(SandboxShard shard) {
          return shard.url();
        }

        @Override
        public String bootstrapServers() {
          return SharedSandbox.kafka().bootstrapServers();
        }
      };

  public final Path file;
  public final SandboxShards shards;
  public DemoClients clients;

  /** Of its topics: the broker is shared, and other tests have a keyspace of the same name. */
  final String prefix;

  private String migration;

  /** What the migration file says of the target. */
  private String target;

  private final Network network;

  private String ignoredColumns = "";

  /** What it says of Kafka. */
  private String kafka;

  private final List<String> before;
  private final DemoLedger ledger;
  private final ShardRouter router;

  private final Partitioning buckets;
  private final String bucketsInFile;

  private Shop(
      String migration,
      Path file,
      SandboxShards shards,
      int before,
      int after,
      Partitioning buckets,
      String bucketsInFile,
      Network network)
      throws Exception {
    this.network = network;
    this.kafka = "{ bootstrap.servers: \"%s\" }".formatted(network.bootstrapServers());
    this.buckets = buckets;
    this.bucketsInFile = bucketsInFile;
    this.migration = migration;
    this.prefix = "test-" + migration;
    this.file = file;
    this.shards = shards;
    this.before = names(before);
    this.target = "balance: [%s]".formatted(String.join(", ", names(after)));
    ShardMap map = map();
    load(map);
    for (SandboxShard shard : shards.all().subList(before, shards.all().size())) {
      shard.execute("DELETE FROM plans"); // a new shard: it gets them from their home
    }
    try (Connection control = shards.get("a").connect(SandboxRole.RESHARD)) {
      ShardMapStore.adopt(control, "shop", buckets, map);
    }
    ledger = DemoLedger.of(shards);
    router = ShardRouter.open(routerConfig());
    startClients();
  }

  /** Again after they were stopped: they leave alone what earlier ones were in doubt about. */
  public void startClients() {
    clients = DemoClients.start(router, ledger, CLIENTS, TRANSACTIONS_PER_SECOND);
  }

  /**
   * Fills the first shards and lets clients write.
   *
   * @param migration no other test's: the broker and the servers are shared
   * @param before how many shards own buckets
   * @param after how many shall
   */
  static Shop open(Path folder, String migration, int before, int after) throws Exception {
    return open(folder, migration, before, after, BUCKETS, MODULO, DIRECT);
  }

  /** As {@link #open(Path, String, int, int)}; the program reaches the servers some other way. */
  public static Shop open(Path folder, String migration, int before, int after, Network network)
      throws Exception {
    return open(folder, migration, before, after, BUCKETS, MODULO, network);
  }

  /**
   * As {@link #open(Path, String, int, int)}, with rows placed by another function.
   *
   * @param bucketsInFile what the migration file says of it
   */
  static Shop open(
      Path folder,
      String migration,
      int before,
      int after,
      Partitioning buckets,
      String bucketsInFile)
      throws Exception {
    return open(folder, migration, before, after, buckets, bucketsInFile, DIRECT);
  }

  private static Shop open(
      Path folder,
      String migration,
      int before,
      int after,
      Partitioning buckets,
      String bucketsInFile,
      Network network)
      throws Exception {
    SandboxShards shards = SharedSandbox.shards(Math.max(before, after));
    return open(folder, migration, shards, before, after, buckets, bucketsInFile, network);
  }

  /** As {@link #open(Path, String, int, int)}, on servers of these majors of PostgreSQL. */
  static Shop open(
      Path folder, String migration, SortedMap<String, Integer> majors, int before, int after)
      throws Exception {
    SandboxShards shards = SharedSandbox.shardsOfMajors(majors);
    return open(folder, migration, shards, before, after, BUCKETS, MODULO, DIRECT);
  }

  private static Shop open(
      Path folder,
      String migration,
      SandboxShards shards,
      int before,
      int after,
      Partitioning buckets,
      String bucketsInFile,
      Network network)
      throws Exception {
    try {
      Path file = folder.resolve("migration.yaml");
      Shop shop = new Shop(migration, file, shards, before, after, buckets, bucketsInFile, network);
      shop.writeFile("budget: { pause: 5s }");
      return shop;
    } catch (Exception e) {
      shards.close();
      throw e;
    }
  }

  /** Leaves none of our functions behind: a worker must make them where it needs them. */
  private void load(ShardMap map) throws Exception {
    for (SandboxShard shard : shards.all()) {
      if (buckets instanceof SqlBuckets own) {
        create(shard, own);
      }
    }
    if (buckets instanceof DirectoryBuckets directory) {
      fillDirectory(shards.get("a"), directory, map);
    }
    for (SandboxShard shard : shards.all()) {
      try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
        ShardSchema.install(connection, buckets);
      }
    }
    DemoLoad.load(shards, map, buckets, ROWS);
    for (SandboxShard shard : shards.all()) {
      shard.executeAsSuperuser("DROP SCHEMA IF EXISTS reshard CASCADE");
    }
  }

  /** The application's own: it scatters neighbours over 32 buckets. */
  private static void create(SandboxShard shard, SqlBuckets own) throws SQLException {
    shard.createSchema(own.schema());
    shard.execute(
        "CREATE FUNCTION %s.%s(tenant bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT (tenant * 40503 >> 4 & 31)::int $$"
            .formatted(own.schema(), own.function()));
  }

  /** Of every tenant that the demo makes. */
  static List<String> tenants() {
    return LongStream.range(0, ROWS / 100)
        .map(n -> 1 + n * 37)
        .mapToObj(Long::toString)
        .sorted()
        .toList();
  }

  private static void fillDirectory(SandboxShard shard, DirectoryBuckets directory, ShardMap map)
      throws SQLException {
    shard.createSchema("app");
    shard.execute("CREATE TABLE app.tenant_shard (tenant_id bigint PRIMARY KEY, shard text)");
    for (int bucket = 0; bucket < directory.count(); bucket++) {
      shard.execute(
          "INSERT INTO app.tenant_shard VALUES (%s, '%s')"
              .formatted(directory.keys().get(bucket), map.ownerOf(bucket)));
    }
  }

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> Character.toString('a' + i)).toList();
  }

  /** As it was before the migration. */
  ShardMap map() {
    return ShardMap.of(1, buckets.count(), owners());
  }

  private Map<ShardId, BucketSet> owners() {
    int n = before.size();
    Map<ShardId, BucketSet> owners = new TreeMap<>();
    for (int i = 0; i < n; i++) {
      owners.put(
          new ShardId(before.get(i)),
          BucketSet.range(buckets.count() * i / n, buckets.count() * (i + 1) / n));
    }
    return owners;
  }

  private RouterConfig routerConfig() {
    Map<ShardId, DatabaseAddress> addresses = new TreeMap<>();
    shards.all().forEach(shard -> addresses.put(new ShardId(shard.name()), address(shard)));
    Partitioning given =
        buckets instanceof DirectoryBuckets directory
            ? DirectoryBuckets.of("shop", directory.query()) // a router reads the stored keys
            : buckets;
    return RouterConfig.of("shop", given, address(shards.get("a")), addresses)
        .withPoolSize(CLIENTS)
        .withTimeout(Duration.ofSeconds(40));
  }

  private static DatabaseAddress address(SandboxShard shard) {
    return new DatabaseAddress(shard.url(), SandboxRole.APP.user(), SandboxRole.APP.password());
  }

  /**
   * Writes the migration file, or writes it anew.
   *
   * @param more lines of YAML: the pause's budget, gates
   */
  public void writeFile(String... more) throws IOException {
    writeFile(file, migration, more);
  }

  /** From here on everything is about another migration, to the same end, in the same file. */
  void begin(String name, String... more) throws IOException {
    migration = name;
    writeFile(more.length == 0 ? new String[] {"budget: { pause: 5s }"} : more);
  }

  /** From now on the broker lives in the worker; the file is to be written anew. */
  void embedKafka() {
    kafka = "embedded";
  }

  /** Writes the file anew, with a target that is written out. */
  void aimAt(String owners) throws IOException {
    target = owners;
    writeFile("budget: { pause: 5s }");
  }

  /** Writes the file anew, with columns left out: {@code public.notes: [extra]}. */
  void ignoreColumns(String columns) throws IOException {
    ignoredColumns = columns;
    writeFile("budget: { pause: 5s }");
  }

  /** A file of another migration to the same end, still with the map of before the first one. */
  Path sequel(String name) throws IOException {
    Path other = file.resolveSibling(name + ".yaml");
    writeFile(other, name, "budget: { pause: 5s }");
    return other;
  }

  /** Begins the migration, and no more: its state is stored. */
  void beginOnly() {
    Answer answer = run("run", "--until", "PREPARING", "-f", file.toString());
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
  }

  private void writeFile(Path path, String name, String... more) throws IOException {
    Files.writeString(
        path,
        """
        migration: %s
        login: { user: %s, password: "%s" }
        shards: { %s }
        control: a
        kafka: %s
        topics: { prefix: %s, replication: 1 }
        keyspace:
          name: shop
          key: tenant_id
          buckets: { %s }
          tables:
            sharded: [ "public.*" ]
            key_of: { public.tenants: id }
            reference: [ public.plans ]
            accept_cross_shard_unique: [ public.orders ]
            ignored_columns: { %s }
        %s
        to: { %s }
        %s
        """
            .formatted(
                name,
                SandboxRole.RESHARD.user(),
                SandboxRole.RESHARD.password(),
                shards.all().stream()
                    .map(shard -> "%s: \"%s\"".formatted(shard.name(), network.url(shard)))
                    .collect(Collectors.joining(", ")),
                kafka,
                prefix,
                bucketsInFile,
                ignoredColumns,
                from(),
                target,
                String.join("\n", more)));
  }

  /** A directory says it itself. */
  private String from() {
    return buckets instanceof DirectoryBuckets
        ? ""
        : owners().entrySet().stream()
            .map(e -> "%s: %s".formatted(e.getKey(), e.getValue()))
            .collect(Collectors.joining(", ", "from: { ", " }"));
  }

  /** What a command answers. */
  public record Answer(int exitCode, String text) {
    @Override
    public String toString() {
      return "exit code %d%n%s".formatted(exitCode, text);
    }
  }

  /** Runs a command about this migration, as an operator does. */
  public Answer run(String command) {
    return switch (command) {
      case "cutover", "rollback", "complete", "cancel" ->
          run(command, migration, "-f", file.toString());
      default -> run(command, "-f", file.toString());
    };
  }

  /** Asks for something as another operator does, who waits for the answer. */
  public CompletableFuture<Answer> ask(String command) {
    return CompletableFuture.supplyAsync(() -> run(command));
  }

  /** Waits until the worker could see what was asked last. */
  void awaitAsked(String command) throws Exception {
    String sql = "SELECT 1 FROM reshard.request WHERE command = '%s' AND answered IS NULL";
    while (shards.get("a").query(sql.formatted(command.toUpperCase(Locale.ROOT))).isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
    TimeUnit.SECONDS.sleep(1); // the worker looks a few times a second while it is busy
  }

  static Answer run(String... words) {
    StringWriter text = new StringWriter();
    int exitCode = Main.run(new PrintWriter(text, true), words);
    System.out.printf("$ reshard %s%n%s(%d)%n", String.join(" ", words), text, exitCode);
    return new Answer(exitCode, text.toString());
  }

  /** As {@link #run(String...)}, with what is said on standard error. */
  static Answer runLoud(String... words) {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text, true);
    int exitCode = Main.run(out, out, words);
    System.out.printf("$ reshard %s%n%s(%d)%n", String.join(" ", words), text, exitCode);
    return new Answer(exitCode, text.toString());
  }

  /** Runs a command that must succeed; again when it gave up within the budget, as it says. */
  public Answer succeed(String command) {
    Answer answer = run(command);
    while (answer.exitCode() == ExitCode.GAVE_UP.code()) {
      answer = run(command);
    }
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
    return answer;
  }

  /** Lifts what the file says of the throttle. */
  public void unthrottle() {
    Answer answer = run("throttle", "--off", "-f", file.toString());
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
  }

  /** As {@link #succeed}, and again while the next worker has not taken over or caught up. */
  Answer succeedOnceAlive(String command) throws InterruptedException {
    Answer answer = run(command);
    while (answer.exitCode() == ExitCode.NO_WORKER.code()
        || answer.exitCode() == ExitCode.UNEXPECTED.code()) {
      TimeUnit.MILLISECONDS.sleep(200); // the standby looks a few times a second
      answer = run(command);
    }
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
    return answer;
  }

  /**
   * As {@link #succeed}, and again while a gate is closed: dual reads need some hundred rows, and a
   * new worker's lanes are starting.
   */
  public Answer succeedOnceGatesOpen(String command) throws InterruptedException {
    Answer answer = run(command);
    while (answer.exitCode() == ExitCode.GAVE_UP.code()
        || answer.exitCode() == ExitCode.NO_WORKER.code()
        || (answer.exitCode() == ExitCode.REFUSED.code()
            && answer.text().contains("gate closed"))) {
      TimeUnit.MILLISECONDS.sleep(200); // the gates look at the last report
      answer = run(command);
    }
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
    return answer;
  }

  /** As it is stored; empty before that. */
  public String state() throws SQLException {
    SandboxShard control = shards.get("a");
    if (control.query("SELECT to_regclass('reshard.migration')::text").contains(null)) {
      return "";
    }
    return control
        .query("SELECT state FROM reshard.migration WHERE name = '%s'".formatted(migration))
        .stream()
        .findFirst()
        .orElse("");
  }

  public void awaitState(MigrationState wanted) throws Exception {
    for (String now = state(); !now.equals(wanted.name()); now = state()) {
      if (now.equals(MigrationState.FAILED.name())) {
        throw new AssertionError(run("status").text());
      }
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
  }

  /** Lets clients finish some more transactions. */
  public void awaitTransactions(long more) throws InterruptedException {
    for (long all = clients.acknowledged() + more; clients.acknowledged() < all; ) {
      TimeUnit.MILLISECONDS.sleep(5); // between two looks
    }
  }

  /** Ends the clients; each row must be on one shard as they left it, and nothing be left of us. */
  void requireClean() throws Exception {
    clients.stop();
    assertEquals(0, clients.failed(), clients.failures()::toString);
    requireRows();
  }

  /** The same, of clients whose transactions may have failed. */
  public void requireRows() throws Exception {
    CheckReport report = DemoChecker.check(shards, ledger);
    if (!report.isClean()) {
      throw new AssertionError(report.toString());
    }
    assertEquals(List.of(), leftovers());
  }

  /** Each row must be as clients left it on the shard that owns it now, moved or not. */
  public void requireOwnersRows() throws Exception {
    ShardMap owners = owned();
    CheckReport report =
        DemoChecker.check(
            shards,
            ledger,
            (shard, tenant) ->
                owners.ownerOf(buckets.bucketOf(Long.toString(tenant))).name().equals(shard));
    if (!report.isClean()) {
      throw new AssertionError(report.toString());
    }
  }

  /** Who owns what, as it is stored. */
  private ShardMap owned() throws SQLException {
    try (Connection control = shards.get("a").connect(SandboxRole.RESHARD)) {
      return ShardMapStore.load(control, "shop").orElseThrow().map();
    }
  }

  /** What moves, in all. */
  public List<Move> moves() throws SQLException {
    try (Wiring wiring = new Wiring(SpecReader.read(file))) {
      return wiring.plan().moves().all();
    }
  }

  private List<String> leftovers() throws Exception {
    List<String> left = new ArrayList<>();
    for (SandboxShard shard : shards.all()) {
      try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
        ShardLeftovers.find(connection).forEach(what -> left.add(shard.name() + ": " + what));
      }
    }
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", network.bootstrapServers()))) {
      admin.listTopics().names().get(10, TimeUnit.SECONDS).stream()
          .filter(topic -> topic.contains("." + migration + "."))
          .forEach(left::add);
    }
    return left;
  }

  @Override
  public void close() throws SQLException {
    clients.close();
    router.close();
    shards.close();
  }
}
