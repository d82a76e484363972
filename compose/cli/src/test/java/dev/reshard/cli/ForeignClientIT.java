package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SharedSandbox;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What programs that are not ours see of a migration: topics, view, errors, JSON. */
@Timeout(180)
class ForeignClientIT {
  private static final int WRITERS = 3;
  private static final int SOME_WRITES = 100;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  @Test
  void aClientWithNoneOfOurClassesFollowsACutoverAndLosesNoWrite() throws Exception {
    try (Shop shop = Shop.open(folder, "foreign", 2, 3)) {
      shop.clients.stop();
      shop.shards.execute(
          "CREATE TABLE foreign_writes (tenant_id bigint, n bigint, PRIMARY KEY (tenant_id, n))");
      Answer before = Shop.run("route", "17", "-f", shop.file.toString());
      assertEquals(ExitCode.DONE.code(), before.exitCode());
      CompletableFuture<Answer> worker = shop.ask("run");
      try (ForeignClient client = client(shop)) {
        client.start(
            SharedSandbox.kafka().bootstrapServers(), shop.prefix + ".shop.routing", WRITERS);
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.succeed("verify");
        shop.succeedOnceGatesOpen("cutover");
        awaitWrites(client, SOME_WRITES);
        long epoch = Long.parseLong(query(shop, "SELECT epoch FROM reshard.keyspace").get(0));
        while (!client.hasSeen(epoch)) {
          TimeUnit.MILLISECONDS.sleep(20); // the topic is written soon after
        }
        awaitWrites(client, SOME_WRITES);
        client.close();
        assertEquals(List.of(), client.failures());
        assertTrue(client.waits.get() + client.moves.get() > 0, "no write met the cutover");
        assertEquals(new TreeSet<>(client.acknowledged()), new TreeSet<>(rowsAtOwners(shop)));
      }
      topicsTellWhatHappenedWithoutValuesOfRows(shop);
      routeAndStatusAgreeWithTheMap(shop);
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      assertEquals(List.of(shop.prefix + ".shop.routing"), topics(shop), "it holds no rows");
    }
  }

  private static ForeignClient client(Shop shop) throws SQLException {
    Map<String, String> urls = new HashMap<>();
    shop.shards.all().forEach(shard -> urls.put(shard.name(), shard.url()));
    return new ForeignClient(urls, "a", SandboxRole.APP.user(), SandboxRole.APP.password());
  }

  private static void awaitWrites(ForeignClient client, int more) throws InterruptedException {
    int all = client.acknowledged().size() + more;
    while (client.acknowledged().size() < all && client.failures().isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(10); // between two looks
    }
  }

  private static List<String> query(Shop shop, String sql) throws SQLException {
    return shop.shards.get("a").query(sql);
  }

  /** A row counts only where the map says that its bucket is. */
  private static List<String> rowsAtOwners(Shop shop) throws SQLException {
    List<String> rows = new ArrayList<>();
    for (SandboxShard shard : shop.shards.all()) {
      String owned =
          query(
                  shop,
                  "SELECT coalesce(string_agg(bucket::text, ','), '-1') FROM reshard.owners WHERE owner = '%s'"
                      .formatted(shard.name()))
              .get(0);
      rows.addAll(
          shard.query(
              "SELECT tenant_id || '/' || n FROM foreign_writes WHERE tenant_id %% 32 IN (%s)"
                  .formatted(owned)));
    }
    return rows;
  }

  private static void topicsTellWhatHappenedWithoutValuesOfRows(Shop shop) throws Exception {
    Answer list = Shop.run("topics", "list", "-f", shop.file.toString());
    for (String topic : List.of(".events", ".changes.a", ".changes.c", ".shadow-reads")) {
      assertTrue(list.text().contains(shop.prefix + ".foreign" + topic), list::toString);
    }
    assertTrue(list.text().contains(shop.prefix + ".shop.routing"), list::toString);

    List<JsonNode> events = tail(shop, "events");
    List<String> stored = query(shop, "SELECT id FROM reshard.transition ORDER BY id");
    List<String> ids = events.stream().map(e -> e.path("id").asText()).toList();
    assertEquals(stored, ids);
    assertTrue(
        events.stream()
            .anyMatch(
                e ->
                    e.path("kind").asText().equals("unit")
                        && e.path("to").asText().equals("AT_DESTINATION")),
        events::toString);

    Answer changes = Shop.run("topics", "tail", "changes.a", "--since", "1h", "-f", file(shop));
    String secret = query(shop, "SELECT secret FROM reshard.migration").get(0);
    assertFalse(changes.text().contains(secret), "the secret is shown");
    assertTrue(changes.text().contains("\"table\":\"public.foreign_writes\""), "no such table");
    assertTrue(changes.text().contains("\"tokens\":[\"a > c 1\"]"), "no token of the cutover");
    List<JsonNode> reads = tail(shop, "shadow-reads");
    assertFalse(reads.isEmpty());
    assertTrue(reads.get(0).has("key") && !reads.get(0).has("sourceDigest"), reads::toString);
    assertEquals(
        ExitCode.USAGE.code(), Shop.run("topics", "tail", "nothing", "-f", file(shop)).exitCode());
  }

  private static void routeAndStatusAgreeWithTheMap(Shop shop) throws Exception {
    Answer route = Shop.run("route", "17", "--table", "orders", "-f", file(shop));
    String owner = query(shop, "SELECT owner FROM reshard.owners WHERE bucket = 17").get(0);
    assertTrue(route.text().contains("owner     " + owner), route::toString);
    assertTrue(route.text().contains("by column tenant_id"), route::toString);
    assertFalse(route.text().contains(SandboxRole.RESHARD.password() + "@"), route::toString);
    assertEquals(
        ExitCode.USAGE.code(), Shop.run("route", "seventeen", "-f", file(shop)).exitCode());
    JsonNode map = tail(shop, "routing").get(0);
    assertEquals("shop", map.path("keyspace").asText());

    JsonNode status = JSON.readTree(Shop.run("status", "--json", "-f", file(shop)).text());
    assertEquals("COMPLETED", status.path("state").asText());
    assertTrue(status.path("worker").path("alive").asBoolean());
    assertEquals(3, status.path("wal").size(), status::toString);
    while (status.path("gates").isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(200); // they are looked at once a second
      status = JSON.readTree(Shop.run("status", "--json", "-f", file(shop)).text());
    }
    watches(shop);
    Answer screen = shop.run("status");
    assertTrue(screen.text().contains("reshard rollback foreign -f"), screen::toString);
  }

  /** Until it is interrupted; elsewhere than in a terminal the screens stand below each other. */
  private static void watches(Shop shop) throws Exception {
    StringWriter text = new StringWriter();
    Thread watch =
        new Thread(
            () -> Main.run(new PrintWriter(text, true), "status", "--watch", "-f", file(shop)));
    watch.start();
    while (watch.isAlive() && text.toString().split("foreign   COMPLETED", -1).length < 3) {
      TimeUnit.MILLISECONDS.sleep(50); // it draws every second
    }
    assertTrue(watch.isAlive(), "it ended by itself");
    watch.interrupt();
    watch.join(10_000);
    assertFalse(watch.isAlive(), "it did not end");
    assertFalse(text.toString().contains("\u001b"), "no terminal, no control characters");
  }

  private static String file(Shop shop) {
    return shop.file.toString();
  }

  private static List<JsonNode> tail(Shop shop, String topic) throws Exception {
    Answer answer = Shop.run("topics", "tail", topic, "--since", "1h", "-f", file(shop));
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
    List<JsonNode> records = new ArrayList<>();
    for (String line : answer.text().lines().toList()) {
      records.add(JSON.readTree(line));
    }
    return records;
  }

  private static List<String> topics(Shop shop) throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", SharedSandbox.kafka().bootstrapServers()))) {
      List<String> names =
          new ArrayList<>(
              admin.listTopics().names().get(10, TimeUnit.SECONDS).stream()
                  .filter(topic -> topic.startsWith(shop.prefix))
                  .toList());
      Collections.sort(names);
      return names;
    }
  }
}
