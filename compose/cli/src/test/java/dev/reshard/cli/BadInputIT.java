package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Files and words that are wrong: each gets its message and exit code, and nothing is changed. */
@Timeout(180)
class BadInputIT {
  @TempDir private Path folder;
  private SandboxShards shards;
  private Path file;
  private final List<Executable> claims = Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void twoShards() throws SQLException {
    shards = SharedSandbox.shards(2);
    shards.execute(
        "CREATE TABLE orders (id bigint, customer bigint NOT NULL, PRIMARY KEY (id, customer))",
        "CREATE TABLE jobs (id bigint PRIMARY KEY)");
    shards.get("a").execute("INSERT INTO orders SELECT i, i FROM generate_series(1, 64) i");
    file = folder.resolve("bad.yaml");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  @Test
  void aWrongFileIsRefusedByEveryCommandAndChangesNothing() throws Exception {
    Everything before = Everything.of(shards);
    wrongFile("kafka:", "kakfa:", "line 5: kakfa is unknown; did you mean kafka?");
    wrongFile("bad\n", "Bad\n", "line 1: migration: 'Bad' must be 1-30 of a-z, 0-9 and -");
    wrongFile("control: a", "control: z", "control: there is no shard 'z' under shards");
    wrongFile("[0-31]", "[0-30]", "from: no shard owns the buckets [31]");
    wrongFile("[0-31]", "[0-99]", "from.a: '0-99' is not within the buckets 0-31");
    wrongFile("modulo", "modula", "did you mean modulo?");
    wrongFile("balance: [a, b]", "balance: [a, b", "not YAML: ");
    wrongFile("password: ", "password: \"${env:RESHARD_NO_SUCH}\" } #", "RESHARD_NO_SUCH");
    wrongFile("jdbc:postgresql:", "postgresql:", "shards.a: must begin with jdbc:postgresql://");
    wrongFile("kafka: {", "kafka: embeded #", "kafka: must be client properties");
    assertAll(claims);
    assertEquals(before, Everything.of(shards));
  }

  @Test
  void aFileThatDoesNotFitTheShardsIsABlockerAndChangesNothing() throws Exception {
    Everything before = Everything.of(shards);
    blocked("public.jobs", "public.nothing", "public.jobs: is in no list");
    blocked("key: customer", "key: buyer", "public.orders: has no column buyer");
    blocked("a: [0-31]", "b: [0-31]", "has rows of buckets that are about to come");
    blocked("replication: 1", "replication: 3", "Kafka has 1 broker(s), but");
    blocked("bootstrap.servers: \"", "bootstrap.servers: \"127.0.0.1:1\" } # ", "does not answer");
    assertAll(claims);
    assertEquals(before, Everything.of(shards));
  }

  @Test
  void wrongWordsAreRefusedAndChangeNothing() throws Exception {
    write("", "");
    Everything before = Everything.of(shards);
    refused(ExitCode.USAGE, "did you mean 'reshard cutover'?", "cutovr", "bad");
    refused(ExitCode.USAGE, "NAME", "cutover");
    refused(ExitCode.USAGE, "it is about migration bad, but you named good", "cutover", "good");
    refused(ExitCode.USAGE, "it is about migration bad, but you named good", "complete", "good");
    refused(ExitCode.USAGE, "--timeout", "verify", "--timeout", "soon");
    refused(ExitCode.USAGE, "but was 'HAPPY'", "run", "--until", "HAPPY");
    refused(ExitCode.USAGE, "it is not an integer", "route", "abc");
    refused(ExitCode.USAGE, "no topic events of migration bad", "topics", "tail", "events");
    refused(ExitCode.USAGE, "neither 10min nor", "topics", "tail", "events", "--since", "noon");
    for (String command : List.of("cutover", "rollback", "complete", "cancel")) {
      refused(ExitCode.REFUSED, "there is no migration bad yet", command, "bad");
    }
    for (String command : List.of("verify", "pause", "resume")) {
      refused(ExitCode.REFUSED, "there is no migration bad yet", command);
    }
    assertAll(claims);
    assertEquals(before, Everything.of(shards));
  }

  private void wrongFile(String right, String wrong, String problem) throws IOException {
    write(right, wrong);
    for (List<String> words :
        List.of(
            List.of("check"),
            List.of("plan"),
            List.of("run"),
            List.of("status"),
            List.of("route", "7"),
            List.of("topics", "list"),
            List.of("verify"),
            List.of("cancel", "bad"))) {
      refused(ExitCode.USAGE, problem, words.toArray(String[]::new));
    }
  }

  private void blocked(String right, String wrong, String problem) throws IOException {
    write(right, wrong);
    // both at once, as a broker that does not answer is waited for
    CompletableFuture<Void> check =
        CompletableFuture.runAsync(() -> refused(ExitCode.BLOCKED, problem, "check"));
    refused(ExitCode.BLOCKED, problem, "run");
    check.join();
  }

  private void refused(ExitCode expected, String problem, String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("-f", file.toString()));
    Answer answer = Shop.runLoud(all.toArray(String[]::new));
    claims.add(() -> assertEquals(expected.code(), answer.exitCode(), () -> all + " " + answer));
    claims.add(() -> assertTrue(answer.text().contains(problem), () -> all + " " + answer));
  }

  private void write(String right, String wrong) throws IOException {
    String good =
        """
        migration: bad
        login: { user: %s, password: %s }
        shards: { a: "%s", b: "%s" }
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { replication: 1 }
        keyspace:
          name: bad
          key: customer
          buckets: { function: modulo, count: 32 }
          tables: { sharded: [ public.orders ], ignored: [ public.jobs ] }
        from: { a: [0-31] }
        to: { balance: [a, b] }
        """
            .formatted(
                SandboxRole.RESHARD.user(),
                SandboxRole.RESHARD.password(),
                shards.get("a").url(),
                shards.get("b").url(),
                SharedSandbox.kafka().bootstrapServers());
    assertTrue(good.contains(right), right);
    Files.writeString(
        file, good.replaceFirst(Pattern.quote(right), Matcher.quoteReplacement(wrong)));
  }
}
