package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.EachShard;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * Waits until every lane, the way back included, is behind by less than the spec allows. Meanwhile
 * the destinations' statistics are brought up to date: an owner with those of empty tables would
 * plan badly. Not earlier, as they cost a while; lanes find rows by unique indexes without them.
 */
public final class CatchUpPhase implements Phase {
  private static final long LOOK_MS = 50;

  private final Migration migration;
  private final Replication replication;
  private final BooleanSupplier stop;
  private final Set<ShardId> analyzed = ConcurrentHashMap.newKeySet();

  public CatchUpPhase(Migration migration, Replication replication, BooleanSupplier stop) {
    this.migration = migration;
    this.replication = replication;
    this.stop = stop;
  }

  @Override
  public MigrationState state() {
    return MigrationState.CATCHING_UP;
  }

  @Override
  public Outcome run() throws SQLException, InterruptedException {
    Set<ShardId> destinations = new TreeSet<>();
    migration.copied().forEach(source -> destinations.addAll(migration.fedBy(source)));
    destinations.removeAll(analyzed);
    EachShard.run("analyze", destinations, this::analyze);
    Duration limit = migration.spec().gates().lag();
    while (!stop.getAsBoolean()) {
      Optional<Duration> lag = replication.lag();
      if (lag.isPresent() && lag.get().compareTo(limit) < 0 && replication.trouble().isEmpty()) {
        return new Outcome(
            MigrationState.READY_FOR_CUTOVER, "lag %d ms".formatted(lag.get().toMillis()));
      }
      Thread.sleep(LOOK_MS); // the next look at the lag
    }
    return new Outcome(MigrationState.CATCHING_UP, "stopped");
  }

  private void analyze(ShardId destination) throws SQLException {
    List<TableId> tables = new ArrayList<>();
    if (migration.moves().destinations().contains(destination)) {
      migration.keyspace().sharded().forEach(table -> tables.add(table.id()));
    }
    if (migration.hasReference() && migration.newShards().contains(destination)) {
      tables.addAll(migration.keyspace().reference());
    }
    try (Connection connection = migration.sessions().open(destination, "analyze");
        Statement statement = connection.createStatement()) {
      for (TableId table : tables) {
        if (stop.getAsBoolean()) {
          return; // run again, it begins anew
        }
        statement.execute("ANALYZE " + table.quoted());
      }
    }
    analyzed.add(destination);
  }
}
