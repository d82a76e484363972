package dev.reshard.sandbox;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Servers that all tests of a process share: started when first asked for, stopped when the process
 * ends. What a test gets of them is its own: databases with a name nobody else has.
 *
 * <pre>
 * try (SandboxShards shards = SharedSandbox.shards(2)) {
 *   shards.execute("CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL)");
 *   ... shards.get("a").connect(SandboxRole.RESHARD) ...
 * }
 * </pre>
 *
 * <p>The shards of one name are on the same server; shards of different names never are, as a
 * replication slot's wait, a crash and the WAL of one must not touch the other. A test that kills a
 * server starts it again, or takes a {@link SandboxPostgres} of its own.
 *
 * <p>Thread-safe.
 */
public final class SharedSandbox {
  private static final Map<String, SandboxPostgres> SERVERS = new TreeMap<>();
  private static final AtomicInteger TESTS = new AtomicInteger();

  private static SandboxKafka kafka;
  private static boolean closesAtExit;

  private SharedSandbox() {}

  /**
   * Fresh shards a, b, c, ...
   *
   * @param count how many, 1 to 26
   */
  public static SandboxShards shards(int count) throws SQLException {
    return freshShards(
        IntStream.range(0, count).mapToObj(Sandbox::shardName).toArray(String[]::new));
  }

  /**
   * Fresh shards of these names, each a new database (t1_a, t1_b, then t2_a, ...) on the server of
   * its name.
   *
   * @throws SandboxException if a server does not start
   */
  public static SandboxShards freshShards(String... names) throws SQLException {
    return create(names, servers(OptionalInt.empty(), names));
  }

  /**
   * As {@link #freshShards}, on servers of one PostgreSQL major each; for tests of the Maven
   * profile {@code matrix}.
   *
   * @param majors by the shard's name
   */
  public static SandboxShards shardsOfMajors(SortedMap<String, Integer> majors)
      throws SQLException {
    List<SandboxPostgres> servers = new ArrayList<>();
    for (Map.Entry<String, Integer> shard : majors.entrySet()) {
      servers.addAll(servers(OptionalInt.of(shard.getValue()), shard.getKey()));
    }
    return create(majors.keySet().toArray(String[]::new), servers);
  }

  private static SandboxShards create(String[] names, List<SandboxPostgres> servers)
      throws SQLException {
    String prefix = "t" + TESTS.incrementAndGet() + "_";
    List<SandboxShard> shards = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      shards.add(SandboxShard.create(names[i], servers.get(i), prefix + names[i]));
    }
    return new SandboxShards(shards);
  }

  /** The broker; a test's topics need names of their own. */
  public static synchronized SandboxKafka kafka() {
    if (kafka == null) {
      closeAtExit();
      kafka = SandboxKafka.start();
    }
    return kafka;
  }

  private static synchronized List<SandboxPostgres> servers(OptionalInt major, String... names) {
    closeAtExit();
    String suffix = major.isPresent() ? " " + major.getAsInt() : "";
    Map<String, SandboxPostgres> started = Collections.synchronizedMap(new TreeMap<>());
    List<Runnable> starts = new ArrayList<>();
    for (String name : names) {
      if (!SERVERS.containsKey(name + suffix)) {
        starts.add(() -> started.put(name + suffix, start(major)));
      }
    }
    try {
      Parallel.runAll(starts);
    } finally {
      SERVERS.putAll(started);
    }
    return List.of(names).stream().map(name -> SERVERS.get(name + suffix)).toList();
  }

  private static SandboxPostgres start(OptionalInt major) {
    return major.isPresent()
        ? SandboxPostgres.start(major.getAsInt(), Map.of())
        : SandboxPostgres.start();
  }

  private static void closeAtExit() {
    if (!closesAtExit) {
      closesAtExit = true;
      Runtime.getRuntime().addShutdownHook(new Thread(SharedSandbox::close, "shared-sandbox"));
    }
  }

  private static synchronized void close() {
    List<Runnable> stops = new ArrayList<>();
    SERVERS.values().forEach(server -> stops.add(server::close));
    if (kafka != null) {
      stops.add(kafka::close);
    }
    Parallel.runAll(stops);
  }
}
