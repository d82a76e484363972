package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeLineIT {
  @TempDir Path dir;

  @Test
  void bucketsMoveAndComeBackAndMoveAgain() throws Exception {
    try (SandboxShards shards = SharedSandbox.freshShards("a", "b", "c")) {
      shards.execute(
          "CREATE TABLE public.tenants (id bigint PRIMARY KEY, name text)",
          "CREATE TABLE public.orders (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, note text)");
      for (String shard : new String[] {"a", "b"}) {
        int r = shard.equals("a") ? 0 : 1;
        shards
            .get(shard)
            .execute(
                "INSERT INTO public.tenants SELECT g, 'tenant ' || g FROM generate_series(1, 2000) g WHERE g % 2 = "
                    + r,
                "INSERT INTO public.orders SELECT g, g % 2000 + 1, repeat('x', 100) FROM generate_series(1, 20000) g WHERE (g % 2000 + 1) % 2 = "
                    + r);
      }
      Path file = dir.resolve("migration.yaml");
      Files.writeString(
          file,
          """
          migration: line
          login: { user: %s, password: "%s" }
          shards:
            a: %s
            b: %s
            c: %s
          control: a
          kafka: { bootstrap.servers: "%s" }
          topics: { replication: 1 }
          keyspace:
            name: shop
            key: tenant_id
            buckets: { function: modulo, count: 64 }
            tables:
              sharded: [ "public.*" ]
              key_of: { public.tenants: id }
              accept_cross_shard_unique: [ public.orders ]
          from: { a: 0 mod 2, b: 1 mod 2 }
          to: { balance: [a, b, c] }
          budget: { pause: 2s }
          """
              .formatted(
                  SandboxRole.RESHARD.user(),
                  SandboxRole.RESHARD.password(),
                  shards.get("a").url(),
                  shards.get("b").url(),
                  shards.get("c").url(),
                  SharedSandbox.kafka().bootstrapServers()));
      assertEquals(0, reshard("check", "-f", file.toString()));
      assertEquals(0, reshard("plan", "-f", file.toString()));
      CompletableFuture<Integer> worker =
          CompletableFuture.supplyAsync(() -> reshard("run", "-f", file.toString()));
      String f = file.toString();
      await(f, "READY_FOR_CUTOVER");
      assertEquals(0, reshard("cutover", "line", "-f", f));
      assertEquals(0, reshard("status", "-f", f));
      assertEquals(0, reshard("cutover", "line", "-f", f));
      assertEquals(0, reshard("rollback", "line", "-f", f));
      assertEquals(0, reshard("cutover", "line", "-f", f));
      assertEquals(0, reshard("complete", "line", "-f", f));
      worker.get();
    }
  }

  private static void await(String file, String state) throws Exception {
    for (int i = 0; i < 100; i++) {
      java.io.StringWriter out = new java.io.StringWriter();
      Main.run(new PrintWriter(out, true), "status", "-f", file);
      if (out.toString().contains(state)) {
        return;
      }
      Thread.sleep(300);
    }
    throw new AssertionError("never " + state);
  }

  private static int reshard(String... words) {
    System.out.println("$ reshard " + String.join(" ", words));
    return Main.run(
        new PrintWriter(System.out, true, java.nio.charset.StandardCharsets.UTF_8), words);
  }
}
