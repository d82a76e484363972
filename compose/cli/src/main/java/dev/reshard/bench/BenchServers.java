package dev.reshard.bench;

import dev.reshard.control.RefusedException;
import dev.reshard.sandbox.Sandbox;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.sandbox.SandboxPostgres;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A source and a destination server and a broker. With two destinations both are databases of the
 * one destination server. Thread-safe, except that one thread starts and closes it.
 */
final class BenchServers implements AutoCloseable {
  private final List<SandboxShard> shards = new ArrayList<>();
  private final Thread atExit = new Thread(this::remove, "bench-stop");
  private final List<GivenServer> given = new ArrayList<>();
  private final SandboxPostgres destinationServer;
  private final Sandbox sandbox;
  private SandboxKafka kafka;
  private final String password;

  private BenchServers(Sandbox sandbox) {
    this.sandbox = sandbox;
    this.kafka = sandbox.kafka();
    this.destinationServer = sandbox.shard("b").server();
    this.password = SandboxRole.RESHARD.password();
    shards.addAll(sandbox.shards().all());
  }

  private BenchServers(GivenServer source, GivenServer destination, String password)
      throws SQLException {
    this.sandbox = null;
    this.password = password;
    this.destinationServer = destination;
    given.addAll(List.of(source, destination));
    Runtime.getRuntime().addShutdownHook(atExit);
    try {
      given.forEach(GivenServer::take);
      shards.add(SandboxShard.create("a", source, GivenServer.DATABASES + "a"));
      shards.add(SandboxShard.create("b", destination, GivenServer.DATABASES + "b"));
      source.secure();
      destination.secure();
      this.kafka = SandboxKafka.start();
    } catch (SQLException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Starts servers as peers.sh does, on disk, or makes databases on given ones.
   *
   * @throws RefusedException with all that is in the way on given servers; nothing was changed
   */
  static BenchServers start(BenchOptions options) throws SQLException {
    if (options.source().isEmpty()) {
      return new BenchServers(
          Sandbox.start(
              Sandbox.Options.shards(2)
                  .withPostgres("max_replication_slots", "20")
                  .withPostgres("shared_buffers", "512MB")
                  .withPostgres("max_wal_size", "8GB")));
    }
    String password = GivenServer.newPassword(); // one for both, as the file has one login
    GivenServer source = new GivenServer(options.source().get(), password);
    GivenServer destination = new GivenServer(options.destination().orElseThrow(), password);
    List<String> problems = new ArrayList<>(source.problems());
    problems.addAll(destination.problems());
    if (!problems.isEmpty()) {
      throw new RefusedException(String.join("; ", problems));
    }
    return new BenchServers(source, destination, password);
  }

  SandboxShard source() {
    return shards.get(0);
  }

  /** The first ones; makes what lacks. */
  List<SandboxShard> destinations(int count) throws SQLException {
    while (shards.size() <= count) {
      String name = Character.toString('a' + shards.size());
      shards.add(SandboxShard.create(name, destinationServer, GivenServer.DATABASES + name));
    }
    return List.copyOf(shards.subList(1, count + 1));
  }

  SandboxKafka kafka() {
    return kafka;
  }

  /** Of the role {@code reshard}, everywhere. */
  String password() {
    return password;
  }

  /** Removes all that was made. Idempotent. */
  @Override
  public void close() {
    remove();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // the process is ending, and the hook is running
    }
  }

  private synchronized void remove() {
    if (sandbox != null) {
      sandbox.close();
      return;
    }
    try {
      for (SandboxShard shard : shards) {
        shard.drop();
      }
      given.forEach(GivenServer::close);
    } catch (SQLException e) {
      throw new IllegalStateException(
          "databases %s.. could not be dropped: %s; drop them yourself, with their replication slots"
              .formatted(GivenServer.DATABASES, e.getMessage()),
          e);
    } finally {
      if (kafka != null) {
        kafka.close();
      }
    }
  }
}
