package dev.reshard.capture;

import dev.reshard.postgres.ShardAddress;
import io.debezium.config.Configuration;
import java.util.Properties;
import org.apache.kafka.connect.storage.MemoryOffsetBackingStore;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** What Debezium's engine is told. Stateless. */
final class EngineSettings {
  private static final int SESSION_ANSWERS_WITHIN_S = 30;

  private EngineSettings() {}

  /**
   * @param id under which the engine's task finds its incarnation again
   */
  static Properties of(CaptureSource source, String id) {
    Configuration.Builder settings =
        Configuration.create()
            .with("name", "reshard-capture-" + source.shard())
            .with("connector.class", ShardConnector.class.getName())
            .with("topic.prefix", id)
            // streaming goes on where the slot stands; an offset could only contradict it
            .with("offset.storage", MemoryOffsetBackingStore.class.getName())
            .with("snapshot.mode", "no_data")
            .with("plugin.name", "pgoutput")
            .with("slot.name", source.slot())
            .with("slot.drop.on.stop", false)
            .with("slot.max.retries", 0)
            .with("publication.name", source.publication())
            .with("publication.autocreate.mode", "disabled")
            // its own view of tables is not used, so it need not read any
            .with("table.include.list", "reshard_no_schema\\.reshard_no_table")
            .with("skipped.operations", "none")
            .with("tombstones.on.delete", false)
            .with("provide.transaction.metadata", false)
            .with("binary.handling.mode", "bytes")
            // The engine waits for a full batch or the interval, and spins through the last
            // millisecond of it (at 1 ms: all the time). A batch of one record is always full, so
            // that it neither waits nor spins.
            .with("max.batch.size", 1)
            .with("max.queue.size", 1_024)
            .with("poll.interval.ms", 500)
            .with("record.processing.threads", 1)
            .with("task.management.timeout.ms", 10_000)
            // a failed engine is replaced by a new incarnation, never revived
            .with("errors.max.retries", 0);
    addAddress(settings, source.sessions().address(source.shard()));
    return settings.build().asProperties();
  }

  private static void addAddress(Configuration.Builder settings, ShardAddress address) {
    Properties url = Driver.parseURL(address.url(), null);
    if (url == null) {
      throw new IllegalArgumentException("not a JDBC URL of PostgreSQL: " + address);
    }
    // several hosts stand as "h1:p1,h2" and "p2" in a URL that is put together again
    String[] hosts = PGProperty.PG_HOST.getOrDefault(url).split(",", -1);
    String[] ports = PGProperty.PG_PORT.getOrDefault(url).split(",", -1);
    StringBuilder host = new StringBuilder(hosts[0]);
    for (int i = 1; i < hosts.length; i++) {
      host.append(':').append(ports[i - 1]).append(',').append(hosts[i]);
    }
    settings
        .with("database.hostname", host.toString())
        .with("database.port", ports[ports.length - 1])
        .with("database.dbname", PGProperty.PG_DBNAME.getOrDefault(url))
        .with("database.user", address.user())
        .with("database.password", address.password());
    url.stringPropertyNames().stream()
        .filter(name -> !name.startsWith("PG"))
        .forEach(name -> settings.with("driver." + name, url.getProperty(name)));
    // its own session reads little, and must not wait for ever for a server that is gone
    settings.with("driver." + PGProperty.TCP_KEEP_ALIVE.getName(), true);
    settings.with("driver." + PGProperty.SOCKET_TIMEOUT.getName(), SESSION_ANSWERS_WITHIN_S);
  }
}
