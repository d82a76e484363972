package dev.reshard.routing;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.postgresql.PGProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the routes in step with the stored map: looks at it now and then, and when asked. While the
 * control database is down the last routes stay. Thread-safe; the connection is confined to its own
 * thread.
 */
final class MapFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MapFollower.class);

  /** A control database that hangs must not keep those waiting who asked for its map. */
  private static final int ANSWER_WITHIN_SECONDS = 5;

  /** In a cutover's pause all routers of an application ask, at every try. */
  private static final Duration AT_MOST_EVERY = Duration.ofMillis(50);

  private static final Duration CLOSED_WITHIN = Duration.ofSeconds(1);

  private final RouterConfig config;
  private final AtomicReference<Routes> routes;
  private final Thread thread = new Thread(this::follow, "reshard-map-follower");

  private Connection connection;

  // guarded by this
  private long asked;
  private long answered;
  private long answeredAt = System.nanoTime();
  private boolean lastAnswerWasGood = true;
  private boolean closed;

  private MapFollower(RouterConfig config, Connection connection, Routes first) {
    this.config = config;
    this.connection = connection;
    this.routes = new AtomicReference<>(first);
  }

  /**
   * Reads the map and begins to follow it.
   *
   * @throws SQLException if the control database does not answer: there is no last map yet
   * @throws MapConflictException if there is no such keyspace, or its partitioning is another
   */
  static MapFollower start(RouterConfig config) throws SQLException {
    Connection connection = connect(config.control());
    try {
      StoredMap stored =
          ShardMapStore.load(connection, config.keyspace())
              .orElseThrow(
                  () ->
                      new MapConflictException(
                          "no map of keyspace %s in %s"
                              .formatted(config.keyspace(), config.control())));
      ShardMapStore.refuseOther(stored, config.partitioning());
      MapFollower follower = new MapFollower(config, connection, Routes.of(stored));
      follower.thread.setDaemon(true);
      follower.thread.start();
      return follower;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  Routes routes() {
    return routes.get();
  }

  /** Takes what a shard said, if it is news. */
  boolean learn(Refusal.Moved moved) {
    Routes before = routes.getAndUpdate(known -> known.with(moved));
    return before.isNews(moved);
  }

  /** Has the stored map read soon, unless it just was; returns at once. */
  synchronized void refreshSoon() {
    if (asked == answered && System.nanoTime() - answeredAt > AT_MOST_EVERY.toNanos()) {
      asked++;
      notifyAll();
    }
  }

  /**
   * Waits for a reading of the stored map that began after this call; if it fails, or does not end
   * in time, the last routes stand.
   */
  synchronized void refreshNow(Duration atMost) throws InterruptedException {
    long mine = ++asked;
    notifyAll();
    long deadline = System.nanoTime() + atMost.toNanos();
    while (answered < mine && !closed) {
      long leftMs = (deadline - System.nanoTime()) / 1_000_000;
      if (leftMs <= 0) {
        return;
      }
      wait(leftMs);
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    try {
      thread.join(CLOSED_WITHIN.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void follow() {
    try {
      for (long question = next(); question >= 0; question = next()) {
        answer(question, refresh());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      disconnect();
    }
  }

  /** Waits until somebody asks or it is time; -1 when closed. */
  private synchronized long next() throws InterruptedException {
    long time = System.nanoTime() + config.poll().toNanos();
    long leftMs = config.poll().toMillis();
    while (!closed && asked == answered && leftMs > 0) {
      wait(leftMs);
      leftMs = (time - System.nanoTime()) / 1_000_000;
    }
    return closed ? -1 : asked;
  }

  private synchronized void answer(long question, boolean good) {
    answered = Math.max(answered, question);
    answeredAt = System.nanoTime();
    if (good != lastAnswerWasGood) {
      LOG.info(
          good
              ? "keyspace {}: the control database answers again"
              : "keyspace {}: the control database does not answer; the last map stays, and shards"
                  + " say themselves what moved",
          config.keyspace());
    }
    lastAnswerWasGood = good;
    notifyAll();
  }

  private boolean refresh() {
    try {
      if (connection == null) {
        connection = connect(config.control());
      }
      Optional<StoredMap> newer =
          ShardMapRows.loadNewer(connection, config.keyspace(), routes.get().storedEpoch());
      newer.ifPresent(stored -> routes.updateAndGet(known -> known.with(stored)));
      return true;
    } catch (SQLException e) {
      LOG.debug("cannot read the map of keyspace {}", config.keyspace(), e);
      disconnect();
      return false;
    }
  }

  private void disconnect() {
    try {
      if (connection != null) {
        connection.close();
      }
    } catch (SQLException e) {
      LOG.debug("cannot close the connection to the control database", e);
    }
    connection = null;
  }

  /** A connection of a router's own, beside its pools. */
  static Connection connect(DatabaseAddress control) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", control.user());
    properties.setProperty("password", control.password());
    PGProperty.APPLICATION_NAME.set(properties, "reshard router");
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.CONNECT_TIMEOUT.set(properties, ANSWER_WITHIN_SECONDS);
    PGProperty.LOGIN_TIMEOUT.set(properties, ANSWER_WITHIN_SECONDS);
    PGProperty.SOCKET_TIMEOUT.set(properties, ANSWER_WITHIN_SECONDS);
    return DriverManager.getConnection(control.url(), properties);
  }
}
