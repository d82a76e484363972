package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.Reshard;
import dev.reshard.cli.Shop.Answer;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A shop on a and b, whose rows lie by tenant mod 2, the odd ones on a; c is still empty. Commands
 * run as processes, as the password comes from their environment.
 */
@Timeout(180)
class InitIT {
  @TempDir private Path folder;
  private SandboxShards shards;
  private Path file;

  @BeforeEach
  void shop() throws SQLException {
    file = folder.resolve("migration.yaml");
    shards = SharedSandbox.shards(3);
    shards.execute(
        "CREATE TABLE tenants (id bigint PRIMARY KEY, name text NOT NULL)",
        "CREATE TABLE country (code text PRIMARY KEY)",
        "CREATE TABLE orders (id bigint, tenant_id bigint NOT NULL REFERENCES tenants, country text NOT NULL REFERENCES country, PRIMARY KEY (id, tenant_id))",
        "CREATE TABLE items (tenant_id bigint NOT NULL, order_id bigint NOT NULL, line int NOT NULL, PRIMARY KEY (tenant_id, order_id, line))",
        "CREATE TABLE schema_migrations (version text PRIMARY KEY)",
        "CREATE TABLE jobs (id bigint PRIMARY KEY, what text)");
    fill("a", "t % 2 = 1");
    fill("b", "t % 2 = 0");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  private void fill(String shard, String which) throws SQLException {
    shards
        .get(shard)
        .execute(
            "INSERT INTO country VALUES ('de'), ('fr')",
            "INSERT INTO schema_migrations VALUES ('1')",
            "INSERT INTO tenants SELECT t, 'n' FROM generate_series(1, 200) t WHERE " + which,
            "INSERT INTO orders SELECT t * 10, t, 'de' FROM generate_series(1, 200) t WHERE "
                + which,
            "INSERT INTO items SELECT t, t * 10, 1 FROM generate_series(1, 200) t WHERE " + which,
            "ANALYZE");
  }

  @Test
  void aDraftIsGoodOnceItsQuestionsAreAnswered() throws Exception {
    assertEquals(ExitCode.DONE.code(), init().exitCode());
    String draft = Files.readString(file);
    assertTrue(draft.contains("  key: \"tenant_id\""), draft);
    assertTrue(draft.contains("      \"public.tenants\": \"id\""), draft);
    assertTrue(draft.contains("    reference: [\"public.country\"]"), draft);
    assertTrue(draft.contains("    ignored: [\"public.schema_migrations\"]"), draft);
    assertTrue(draft.contains("    #   public.jobs"), draft);
    assertTrue(draft.contains("buckets: { function: modulo, count: 1024 }"), draft);
    assertTrue(draft.contains("All of 200 different keys that were looked at agree"), draft);
    assertTrue(draft.contains("from: { a: 1 mod 2, b: 0 mod 2 }"), draft);
    assertTrue(draft.contains("to: { balance: [\"a\", \"b\", \"c\"] }"), draft);

    answer("[\"public.schema_migrations\"]", "[ public.schema_migrations, public.jobs ]");
    answerKafka();
    Answer check = reshard("check", "-f", file.toString());
    assertEquals(
        List.of(), check.text().lines().filter(line -> line.startsWith("BLOCKER")).toList());
    assertEquals(ExitCode.DONE.code(), check.exitCode());
  }

  @Test
  void withoutForeignKeysTheTableThatTheKeyIsNamedAfterIsProposed() throws Exception {
    shards.execute("ALTER TABLE orders DROP CONSTRAINT orders_tenant_id_fkey");
    init();
    String draft = Files.readString(file);
    assertTrue(draft.contains("perhaps sharded, with key_of: { public.tenants: id })"), draft);
  }

  @Test
  void anUnansweredDraftIsRefusedWithWhatIsOpen() throws Exception {
    init();
    Answer answer = reshard("check", "-f", file.toString());
    assertEquals(ExitCode.USAGE.code(), answer.exitCode());
    assertTrue(answer.text().contains("kafka.bootstrap.servers is missing"), answer::toString);
    answerKafka();
    answer = reshard("check", "-f", file.toString());
    assertEquals(ExitCode.BLOCKED.code(), answer.exitCode());
    assertTrue(answer.text().contains("BLOCKER  public.jobs: is in no list"), answer::toString);
  }

  @Test
  void whereNoFunctionAgreesTheFileIsRefusedUntilOneIsNamed() throws Exception {
    shards.get("a").execute("INSERT INTO items VALUES (2, 20, 2)");
    init();
    answerKafka();
    Answer answer = reshard("check", "-f", file.toString());
    assertEquals(ExitCode.USAGE.code(), answer.exitCode());
    assertTrue(answer.text().contains("keyspace.buckets.function is missing"), answer::toString);
  }

  @Test
  void noPasswordIsWrittenAndNoFileOverwritten() throws Exception {
    Files.writeString(file, "mine");
    Answer answer = init();
    assertEquals(ExitCode.USAGE.code(), answer.exitCode());
    assertEquals("mine", Files.readString(file));
    Files.delete(file);
    init();
    assertFalse(Files.readString(file).contains(SandboxRole.RESHARD.password()));
    assertTrue(Files.readString(file).contains("${env:RESHARD_PASSWORD}"));
  }

  @Test
  void initAndCheckChangeNeitherCatalogsNorTopics() throws Exception {
    Everything before = Everything.of(shards);
    init();
    answer("[\"public.schema_migrations\"]", "[ public.schema_migrations, public.jobs ]");
    answerKafka();
    for (String form : List.of("", "--json", "--fixes", "--grants=all")) {
      List<String> words = new ArrayList<>(List.of("check", "-f", file.toString()));
      if (!form.isEmpty()) {
        words.add(form);
      }
      reshard(words.toArray(String[]::new));
    }
    assertEquals(before, Everything.of(shards));
  }

  @Test
  void neitherHelpNorWrongWordsLeaveALog() throws Exception {
    assertEquals(ExitCode.DONE.code(), reshard("--help").exitCode());
    assertEquals(ExitCode.DONE.code(), reshard("cutover", "--help").exitCode());
    Answer wrong = reshard("stattus");
    assertEquals(ExitCode.USAGE.code(), wrong.exitCode());
    assertTrue(wrong.text().contains("did you mean 'reshard status'?"), wrong::toString);
    Answer far = reshard("zzzzz");
    assertFalse(far.text().contains("did you mean"), far::toString);
    assertEquals(ExitCode.USAGE.code(), reshard("check", "-f", "nowhere.yaml").exitCode());
    assertFalse(Files.exists(folder.resolve("reshard.log")));
  }

  private Answer init() throws Exception {
    List<String> words = new ArrayList<>(List.of("init", "-o", file.toString()));
    for (SandboxShard shard : shards.all()) {
      words.addAll(List.of("--url", shard.url()));
    }
    return reshard(words.toArray(String[]::new));
  }

  private void answerKafka() throws IOException {
    answer(
        "kafka: {}",
        "kafka: { bootstrap.servers: \"%s\" }\ntopics: { replication: 1 }"
            .formatted(SharedSandbox.kafka().bootstrapServers()));
  }

  private void answer(String question, String answer) throws IOException {
    String text = Files.readString(file);
    assertTrue(text.contains(question), text);
    Files.writeString(file, text.replace(question, answer));
  }

  private Answer reshard(String... words) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Reshard.class.getName()));
    command.addAll(List.of(words));
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().put("RESHARD_PASSWORD", SandboxRole.RESHARD.password());
    builder.environment().put("RESHARD_LOG", folder.resolve("reshard.log").toString());
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running");
    } finally {
      process.destroyForcibly();
    }
    Answer answer =
        new Answer(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    System.out.println("$ reshard " + String.join(" ", words) + "\n" + answer);
    return answer;
  }
}
