package dev.reshard.sandbox;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A set of shards, each on a server of its own, and a Kafka broker, all started in parallel and
 * closed together: what the demo and the benchmarks run on. When the process is told to end before
 * that (Ctrl-C, SIGTERM), the servers are stopped first.
 *
 * <p>Thread-safe.
 */
public final class Sandbox implements AutoCloseable {
  private final List<SandboxPostgres> servers;
  private final SandboxShards shards;
  private final Optional<SandboxKafka> kafka;
  private final StopAtExit atExit;

  private Sandbox(
      List<SandboxPostgres> servers,
      SandboxShards shards,
      Optional<SandboxKafka> kafka,
      StopAtExit atExit) {
    this.servers = servers;
    this.shards = shards;
    this.kafka = kafka;
    this.atExit = atExit;
  }

  /**
   * Starts everything, or nothing: what came up is closed again when the rest does not.
   *
   * @throws SandboxException naming what did not start
   */
  public static Sandbox start(Options options) {
    SandboxEngine engine = SandboxEngine.current();
    List<SandboxPostgres> servers = Collections.synchronizedList(new ArrayList<>());
    List<SandboxKafka> brokers = Collections.synchronizedList(new ArrayList<>());
    StopAtExit atExit = new StopAtExit(servers);
    List<Runnable> starts = new ArrayList<>();
    for (int i = 0; i < options.shards; i++) {
      starts.add(() -> servers.add(engine.startPostgres(options.postgresSettings)));
    }
    if (options.kafka) {
      starts.add(() -> brokers.add(engine.startKafka(options.kafkaSettings)));
    }
    try {
      try {
        Parallel.runAll(starts);
      } finally {
        atExit.started();
      }
      return new Sandbox(
          List.copyOf(servers),
          createShards(servers, options.database),
          brokers.stream().findFirst(),
          atExit);
    } catch (SQLException | RuntimeException e) {
      servers.forEach(SandboxPostgres::close);
      brokers.forEach(SandboxKafka::close);
      atExit.forget();
      throw e instanceof SandboxException known
          ? known
          : new SandboxException("the sandbox did not start: " + e.getMessage(), e);
    }
  }

  /** The name of the i-th shard, from zero: a, b, c, ... */
  static String shardName(int index) {
    return Character.toString('a' + index);
  }

  public SandboxShards shards() {
    return shards;
  }

  /** As {@link SandboxShards#get}. */
  public SandboxShard shard(String name) {
    return shards.get(name);
  }

  /**
   * The broker.
   *
   * @throws IllegalStateException if the options said there is none
   */
  public SandboxKafka kafka() {
    return kafka.orElseThrow(() -> new IllegalStateException("this sandbox has no Kafka"));
  }

  /** Stops all servers and deletes their data. Idempotent. */
  @Override
  public void close() {
    List<Runnable> stops = new ArrayList<>();
    kafka.ifPresent(broker -> stops.add(broker::close));
    servers.forEach(server -> stops.add(server::close));
    Parallel.runAll(stops);
    atExit.forget();
  }

  /**
   * Stops the servers that are processes of their own, within seconds; a broker inside this process
   * ends with it. For a process that is about to end.
   */
  public void closeNow() {
    atExit.stop();
  }

  private static SandboxShards createShards(List<SandboxPostgres> servers, String database)
      throws SQLException {
    List<SandboxShard> shards = new ArrayList<>();
    for (int i = 0; i < servers.size(); i++) {
      shards.add(SandboxShard.create(shardName(i), servers.get(i), database));
    }
    return new SandboxShards(shards);
  }

  /**
   * What to start. Immutable.
   *
   * @param shards how many, 1 to 26; they are called a, b, c, ...
   * @param database the name of the database on each of them
   * @param kafka whether to start a broker
   * @param postgresSettings settings of every PostgreSQL server that override the sandbox's
   * @param kafkaSettings settings of the broker that override the sandbox's
   */
  public record Options(
      int shards,
      String database,
      boolean kafka,
      Map<String, String> postgresSettings,
      Map<String, String> kafkaSettings) {
    public Options {
      if (shards < 1 || shards > 26) {
        throw new IllegalArgumentException("shards must be 1 to 26, got " + shards);
      }
      postgresSettings = Map.copyOf(postgresSettings);
      kafkaSettings = Map.copyOf(kafkaSettings);
    }

    /** Shards with a database {@code app}, and a broker, with no settings of one's own. */
    public static Options shards(int count) {
      return new Options(count, "app", true, Map.of(), Map.of());
    }

    public Options withDatabase(String name) {
      return new Options(shards, name, kafka, postgresSettings, kafkaSettings);
    }

    public Options withoutKafka() {
      return new Options(shards, database, false, postgresSettings, kafkaSettings);
    }

    public Options withPostgres(String setting, String value) {
      return new Options(
          shards, database, kafka, plus(postgresSettings, setting, value), kafkaSettings);
    }

    public Options withKafka(String setting, String value) {
      return new Options(
          shards, database, kafka, postgresSettings, plus(kafkaSettings, setting, value));
    }

    private static Map<String, String> plus(Map<String, String> map, String key, String value) {
      Map<String, String> more = new HashMap<>(map);
      more.put(key, value);
      return more;
    }
  }
}
