package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What {@code compose.yaml} says, since it cannot be run everywhere. */
class ComposeFileTest {
  private static final Path COMPOSE = Path.of("..").toAbsolutePath().normalize();
  private static final List<String> SHARDS = List.of("shard-a", "shard-b", "shard-c");

  private static Map<?, ?> file;

  @BeforeAll
  static void parse() throws IOException {
    try (Reader in = Files.newBufferedReader(COMPOSE.resolve("compose.yaml"))) {
      file = new Yaml(new SafeConstructor(new LoaderOptions())).load(in);
    }
  }

  @Test
  void hasThreeShardsKafkaAndAWorker() {
    assertEquals(
        Set.of("shard-a", "shard-b", "shard-c", "kafka", "worker"),
        map(file.get("services")).keySet());
    for (String shard : SHARDS) {
      assertEquals("postgres:17", service(shard).get("image"));
    }
    assertEquals("apache/kafka:4.3.1", service("kafka").get("image"));
  }

  @Test
  void publishesEachPortOnceAndOnLoopbackOnly() {
    Map<String, String> published = new TreeMap<>();
    for (Object name : map(file.get("services")).keySet()) {
      Object ports = service(name.toString()).get("ports");
      if (ports != null) {
        list(ports).forEach(port -> published.put(port.toString(), name.toString()));
      }
    }
    assertEquals(
        Map.of(
            "127.0.0.1:15431:5432", "shard-a",
            "127.0.0.1:15432:5432", "shard-b",
            "127.0.0.1:15433:5432", "shard-c",
            "127.0.0.1:19092:19092", "kafka"),
        published);
  }

  @Test
  void shardsHaveTheSandboxesSettings() {
    Map<String, String> sandbox = PostgresSettings.with(Map.of());
    for (String shard : SHARDS) {
      Map<String, String> settings = settings(list(service(shard).get("command")));
      assertEquals("logical", settings.get("wal_level"));
      settings.forEach((name, value) -> assertEquals(sandbox.get(name), value, name));
    }
  }

  @Test
  void shardsRunTheSandboxesScriptsRolesFirst() {
    for (String shard : SHARDS) {
      List<?> volumes = list(service(shard).get("volumes"));
      Map<?, ?> roles = map(volumes.get(0));
      Map<?, ?> database = map(volumes.get(1));
      assertTrue(Files.isRegularFile(COMPOSE.resolve(roles.get("source").toString())));
      assertTrue(Files.isRegularFile(COMPOSE.resolve(database.get("source").toString())));
      String first = roles.get("target").toString();
      String second = database.get("target").toString();
      assertTrue(first.endsWith("roles.sql") && second.endsWith("database.sql"));
      assertTrue(first.compareTo(second) < 0, "the image runs scripts in the order of their names");
    }
  }

  @Test
  void everyServiceKeepsItsDataInAVolumeOfItsOwn() {
    Set<String> used = new HashSet<>();
    for (String name : List.of("shard-a", "shard-b", "shard-c", "kafka")) {
      for (Object volume : list(service(name).get("volumes"))) {
        if (volume instanceof String text) {
          assertTrue(used.add(text.substring(0, text.indexOf(':'))), text);
        }
      }
    }
    assertEquals(map(file.get("volumes")).keySet(), used);
  }

  @Test
  void theSuperusersPasswordIsTheSandboxes() {
    for (String shard : SHARDS) {
      Map<?, ?> environment = map(service(shard).get("environment"));
      assertEquals(SandboxRole.SUPERUSER.user(), environment.get("POSTGRES_USER"));
      assertEquals(SandboxRole.SUPERUSER.password(), environment.get("POSTGRES_PASSWORD"));
    }
  }

  @Test
  void kafkaCreatesNoTopicsByUseAndNeedsOneBroker() {
    Map<?, ?> environment = map(service("kafka").get("environment"));
    assertEquals("false", environment.get("KAFKA_AUTO_CREATE_TOPICS_ENABLE"));
    assertEquals("1", environment.get("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"));
    assertEquals("1", environment.get("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"));
    assertEquals("1", environment.get("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"));
  }

  @Test
  void theWorkerRunsOnceAllServersAreHealthy() throws IOException {
    Map<?, ?> worker = service("worker");
    assertEquals(List.of("run"), worker.get("command"));
    Map<?, ?> dependsOn = map(worker.get("depends_on"));
    assertEquals(Set.of("shard-a", "shard-b", "shard-c", "kafka"), dependsOn.keySet());
    dependsOn.forEach(
        (server, how) -> {
          assertEquals("service_healthy", map(how).get("condition"));
          assertTrue(service(server.toString()).containsKey("healthcheck"));
        });
    Map<?, ?> build = map(worker.get("build"));
    Path root = COMPOSE.resolve(build.get("context").toString());
    String dockerfile = Files.readString(root.resolve(build.get("dockerfile").toString()));
    assertTrue(dockerfile.contains("ENTRYPOINT [\"/opt/reshard/compose/reshard\"]"), dockerfile);
  }

  private static Map<String, String> settings(List<?> command) {
    assertEquals("postgres", command.get(0));
    Map<String, String> settings = new HashMap<>();
    for (int i = 1; i < command.size(); i += 2) {
      assertEquals("-c", command.get(i));
      String[] setting = command.get(i + 1).toString().split("=", 2);
      settings.put(setting[0], setting[1]);
    }
    return settings;
  }

  private static Map<?, ?> service(String name) {
    return map(map(file.get("services")).get(name));
  }

  private static Map<?, ?> map(Object value) {
    return (Map<?, ?>) value;
  }

  private static List<?> list(Object value) {
    return (List<?>) value;
  }
}
