package dev.reshard.publish;

import dev.reshard.control.MigrationState;
import dev.reshard.migration.Migration;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.routing.StoredMap;
import dev.reshard.topics.RoutingMap;
import dev.reshard.topics.TopicNames;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The stored map of a keyspace: at every start of a worker, at every new epoch, and again now and
 * then. The topic is the keyspace's: it holds no rows and stays. Confined to one thread.
 */
final class RoutingFeed implements Feed {
  /**
   * Else the late record of a worker that was frozen for long could stand as the last one, and
   * compaction keeps the last.
   */
  private static final Duration AGAIN_AFTER = Duration.ofMinutes(1);

  private final Migration migration;
  private long publishedEpoch;
  private long givenEpoch;
  private long publishedNanos;
  private Connection control;

  RoutingFeed(Migration migration) {
    this.migration = migration;
  }

  @Override
  public String topic() {
    return TopicNames.routing(migration.spec().topics().prefix(), migration.keyspace().name());
  }

  @Override
  public Settings settings() {
    return Settings.KEEP_LAST;
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return true;
  }

  @Override
  public void register() {
    // it is not a migration's to delete
  }

  @Override
  public List<Message> pending() throws SQLException {
    if (System.nanoTime() - publishedNanos > AGAIN_AFTER.toNanos()) {
      publishedEpoch = 0;
    }
    String keyspace = migration.keyspace().name();
    if (control == null) {
      control = migration.sessions().open(migration.spec().control(), "routing");
    }
    Optional<StoredMap> stored = ShardMapStore.loadNewer(control, keyspace, publishedEpoch);
    givenEpoch = stored.map(map -> map.map().epoch()).orElse(publishedEpoch);
    return stored.stream()
        .map(map -> RoutingMap.of(keyspace, map.partitioning(), map.map()))
        .map(map -> new Message(keyspace, map.toJson()))
        .toList();
  }

  @Override
  public void published() {
    if (givenEpoch > publishedEpoch) {
      publishedEpoch = givenEpoch;
      publishedNanos = System.nanoTime();
    }
  }

  @Override
  public void close() throws SQLException {
    Connection session = control;
    control = null;
    if (session != null) {
      session.close();
    }
  }
}
