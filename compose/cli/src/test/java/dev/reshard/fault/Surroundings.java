package dev.reshard.fault;

import dev.reshard.cli.Shop;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.TcpProxy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A broker of its own, and a proxy between the program and each server, which stay from one
 * migration to the next. Confined to one thread.
 */
final class Surroundings implements Shop.Network, AutoCloseable {
  private final Map<String, TcpProxy> shards = new TreeMap<>();
  private final TcpProxy toBroker;
  final BrokerProcess broker;

  private Surroundings(TcpProxy toBroker, BrokerProcess broker) {
    this.toBroker = toBroker;
    this.broker = broker;
  }

  static Surroundings start(Path folder) throws IOException {
    Path directory = folder.resolve("kafka");
    TcpProxy proxy = TcpProxy.toBrokerIn(directory);
    return new Surroundings(proxy, BrokerProcess.start(directory, proxy.port()));
  }

  @Override
  public String url(SandboxShard shard) {
    TcpProxy proxy = shards.computeIfAbsent(shard.name(), name -> TcpProxy.to(shard.server()));
    return "jdbc:postgresql://%s:%d/%s".formatted(proxy.host(), proxy.port(), shard.database());
  }

  @Override
  public String bootstrapServers() {
    return "%s:%d".formatted(toBroker.host(), toBroker.port());
  }

  /** Between the program and that shard. */
  TcpProxy to(String shard) {
    return shards.get(shard);
  }

  TcpProxy toBroker() {
    return toBroker;
  }

  @Override
  public void close() {
    shards.values().forEach(TcpProxy::close);
    broker.close();
    toBroker.close();
  }
}
