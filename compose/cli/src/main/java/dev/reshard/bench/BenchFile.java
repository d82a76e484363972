package dev.reshard.bench;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The migration file, in a directory of its own that goes with it: all rows of shard a leave for
 * the others. Immutable.
 */
record BenchFile(Path path) implements AutoCloseable {
  static final String MIGRATION = "bench";

  /**
   * Writes it.
   *
   * @param more lines to be added; may be empty
   */
  static BenchFile write(BenchServers servers, List<SandboxShard> destinations, String more)
      throws IOException {
    Path folder = Files.createTempDirectory("reshard-bench"); // for this user's eyes only
    Path password = folder.resolve("reshard.password");
    Files.writeString(password, servers.password());
    int count = destinations.size();
    StringBuilder shards = new StringBuilder("  a: " + servers.source().url());
    destinations.forEach(shard -> shards.append("\n  %s: %s".formatted(shard.name(), shard.url())));
    String to =
        destinations.stream()
            .map(
                shard ->
                    "%s: %d mod %d".formatted(shard.name(), destinations.indexOf(shard), count))
            .collect(Collectors.joining(", "));
    Path file = folder.resolve("migration.yaml");
    Files.writeString(
        file,
        """
        migration: %s
        login: { user: %s, password: "${file:%s}" }
        shards:
        %s
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { replication: 1 }
        keyspace:
          name: bench
          key: tenant_id
          buckets: { function: modulo, count: 1024 }
          tables: { sharded: [ public.orders ], accept_cross_shard_unique: [ public.orders ] }
        from: { a: 0 mod 1 }
        to: { %s }
        %s
        """
            .formatted(
                MIGRATION,
                SandboxRole.RESHARD.user(),
                password,
                shards,
                servers.kafka().bootstrapServers(),
                to,
                more));
    return new BenchFile(file);
  }

  @Override
  public void close() throws IOException {
    for (String name : List.of("migration.yaml", "reshard.password")) {
      Files.deleteIfExists(path.resolveSibling(name));
    }
    Files.deleteIfExists(path.getParent());
  }
}
