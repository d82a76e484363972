package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.Finding;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.spec.SpecReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A broker that keeps lists of who may do what. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KafkaCheckIT {
  @TempDir private static Path folder;
  private SandboxKafka kafka;

  @BeforeAll
  void broker() {
    kafka =
        SandboxKafka.start(
            Map.of(
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found",
                "true",
                "unclean.leader.election.enable",
                "true"));
  }

  @AfterAll
  void stop() {
    kafka.close();
  }

  @Test
  void aGoodBrokerIsNotedForWhatItsClusterLacksAndNothingIsMade() throws Exception {
    List<Finding> findings = check("good", 1, false, kafka.bootstrapServers());
    assertEquals(2, findings.size(), findings::toString);
    assertTrue(findings.get(0).what().startsWith("topics.replication is 1"), findings::toString);
    assertTrue(
        findings.get(1).what().startsWith("unclean.leader.election.enable is true"),
        findings::toString);
    try (Admin admin = admin()) {
      assertTrue(
          admin.listTopics().names().get(10, TimeUnit.SECONDS).stream()
              .noneMatch(name -> name.startsWith("reshard.good.")));
    }
  }

  @Test
  void moreCopiesThanBrokersAreABlocker() throws Exception {
    List<Finding> findings = check("copies", 3, false, kafka.bootstrapServers());
    assertEquals("Kafka has 1 broker(s), but topics.replication is 3", findings.get(0).what());
  }

  @Test
  void aTopicThatIsThereAlreadyIsABlockerUnlessTheMigrationHasBegun() throws Exception {
    try (Admin admin = admin()) {
      admin
          .createTopics(
              Stream.of("changes.a", "events")
                  .map(name -> new NewTopic("reshard.there." + name, 1, (short) 1))
                  .toList())
          .all()
          .get(10, TimeUnit.SECONDS);
    }
    assertTrue(
        check("there", 1, false, kafka.bootstrapServers()).stream()
            .anyMatch(f -> f.blocks() && f.detail().equals("reshard.there.changes.a")));
    assertTrue(
        check("there", 1, false, kafka.bootstrapServers()).stream()
            .anyMatch(f -> f.blocks() && f.detail().equals("reshard.there.events")));
    assertTrue(
        check("there", 1, true, kafka.bootstrapServers()).stream().noneMatch(Finding::blocks));
  }

  @Test
  void aRightThatIsMissingIsABlockerWithTheListOfRights() throws Exception {
    try (Admin admin = admin()) {
      admin
          .createAcls(
              List.of(
                  acl(ResourceType.CLUSTER, "kafka-cluster", AclOperation.ALL, true),
                  acl(ResourceType.CLUSTER, "kafka-cluster", AclOperation.CREATE, false),
                  acl(ResourceType.TOPIC, "reshard.denied.changes.a", AclOperation.CREATE, false)))
          .all()
          .get(10, TimeUnit.SECONDS);
      Finding finding =
          check("denied", 1, false, kafka.bootstrapServers()).stream()
              .filter(Finding::blocks)
              .findFirst()
              .orElseThrow();
      assertEquals("we may not make the topic", finding.what());
      assertTrue(finding.todo().contains("topics with prefix reshard.denied."), finding.todo());
    }
  }

  @Test
  void aBrokerThatDoesNotAnswerIsABlocker() throws Exception {
    List<Finding> findings = check("gone", 1, false, "127.0.0.1:1");
    assertTrue(findings.get(0).blocks());
    assertTrue(findings.get(0).what().startsWith("Kafka does not answer"), findings::toString);
  }

  private static AclBinding acl(
      ResourceType type, String name, AclOperation operation, boolean allowed) {
    return new AclBinding(
        new ResourcePattern(type, name, PatternType.LITERAL),
        new AccessControlEntry(
            "User:ANONYMOUS",
            "*",
            operation,
            allowed ? AclPermissionType.ALLOW : AclPermissionType.DENY));
  }

  private Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
  }

  private static List<Finding> check(
      String migration, int replication, boolean begun, String servers)
      throws IOException, InterruptedException {
    Path file = folder.resolve(migration + ".yaml");
    Files.writeString(
        file,
        """
        migration: %s
        shards: { a: "jdbc:postgresql://a/x", b: "jdbc:postgresql://b/x" }
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { replication: %d }
        keyspace:
          name: x
          key: k
          buckets: { function: modulo, count: 8 }
          tables: { sharded: [ "public.*" ] }
        from: { a: [0-7] }
        to: { balance: [a, b] }
        """
            .formatted(migration, servers, replication));
    return new KafkaCheck(SpecReader.read(file), List.of(new ShardId("a"), new ShardId("b")), begun)
        .look();
  }
}
