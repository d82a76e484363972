package dev.reshard.demo;

import dev.reshard.sandbox.Sandbox;
import dev.reshard.sandbox.SandboxRole;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** Writes the migration file that the demo's commands read, as a person would. Stateless. */
final class DemoFile {
  static final Path FOLDER = Path.of("demo");
  private static final String PASSWORD = "reshard.password";

  private DemoFile() {}

  /** Deletes the password, which is of no use once the servers are gone; the file stays. */
  static void forgetPassword(Path folder) {
    try {
      Files.deleteIfExists(folder.resolve(PASSWORD));
    } catch (IOException e) {
      // it opens nothing any more
    }
  }

  static Path write(Path folder, Sandbox sandbox, DemoOptions options) throws IOException {
    Files.createDirectories(folder);
    Path password = folder.resolve(PASSWORD);
    Files.writeString(password, SandboxRole.RESHARD.password());
    String shards =
        options.shards().stream()
            .map(name -> "  %s: %s".formatted(name, sandbox.shard(name).url()))
            .collect(Collectors.joining("\n"));
    String from =
        options.from().entrySet().stream()
            .map(e -> "%s: %s".formatted(e.getKey(), e.getValue()))
            .collect(Collectors.joining(", "));
    Path file = folder.resolve("migration.yaml");
    Files.writeString(
        file,
        """
        # From %d shards to %d. Every command of the demo reads this file.
        migration: %s
        login: { user: %s, password: "${file:%s}" }
        shards:
        %s
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { replication: 1 }        # one broker; three in production
        keyspace:
          name: shop
          key: tenant_id
          buckets: { function: %s, count: %d }
          tables:
            sharded: [ "public.*" ]
            key_of: { public.tenants: id }
            reference: [ public.plans ]
            accept_cross_shard_unique: [ public.orders ]   # ids come from ranges that never meet
        from: { %s }
        to: { balance: [%s] }
        budget: { pause: 250ms }
        gates: { lag: 2s, mismatch: 0.1%% }
        shadow: { probe: 100/s }
        """
            .formatted(
                options.before(),
                options.after(),
                DemoOptions.MIGRATION,
                SandboxRole.RESHARD.user(),
                password,
                shards,
                sandbox.kafka().bootstrapServers(),
                DemoOptions.PARTITIONING.function().word(),
                DemoOptions.PARTITIONING.count(),
                from,
                String.join(", ", options.shardsAfter())));
    return file;
  }
}
