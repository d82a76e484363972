package dev.reshard.routing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.reshard.keyspace.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.util.Map;
import java.util.TreeMap;

/** A connection pool for each shard. Thread-safe. */
final class ShardPools implements AutoCloseable {
  /** The least that HikariCP takes as a connection timeout. */
  private static final long LEAST_TIMEOUT_MS = 250;

  private final Map<ShardId, HikariDataSource> pools = new TreeMap<>();

  /** Connects in the background: a shard that is down now holds up only what needs it. */
  ShardPools(RouterConfig config) {
    config
        .shards()
        .forEach((shard, address) -> pools.put(shard, new HikariDataSource(pool(shard, config))));
  }

  /**
   * A connection that is not in autocommit; closing it gives it back.
   *
   * @throws SQLNonTransientConnectionException if the router was not told that shard's address
   */
  Connection connect(ShardId shard) throws SQLException {
    HikariDataSource pool = pools.get(shard);
    if (pool == null) {
      throw new SQLNonTransientConnectionException(
          "the map names shard %s, but this router has only the addresses of %s; nothing was run. Give it that address."
              .formatted(shard, pools.keySet()),
          "08001");
    }
    return pool.getConnection();
  }

  @Override
  public void close() {
    pools.values().forEach(HikariDataSource::close);
  }

  private static HikariConfig pool(ShardId shard, RouterConfig config) {
    DatabaseAddress address = config.shards().get(shard);
    HikariConfig pool = new HikariConfig();
    pool.setPoolName("reshard-" + config.keyspace() + "-" + shard);
    pool.setJdbcUrl(address.url());
    pool.setUsername(address.user());
    pool.setPassword(address.password());
    pool.setMaximumPoolSize(config.poolSize());
    pool.setConnectionTimeout(Math.max(LEAST_TIMEOUT_MS, config.timeout().toMillis()));
    pool.setInitializationFailTimeout(-1);
    pool.setAutoCommit(false);
    return pool;
  }
}
