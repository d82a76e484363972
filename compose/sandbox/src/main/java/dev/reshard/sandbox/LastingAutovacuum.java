package dev.reshard.sandbox;

import java.sql.SQLException;
import java.util.List;

/**
 * An autovacuum of one table that lasts for a minute, unless the server ends it. All databases of
 * the server have their autovacuums every second until this is closed. Confined to one thread.
 */
public final class LastingAutovacuum implements AutoCloseable {
  private static final String RUNNING =
      """
      SELECT count(*) FROM pg_stat_progress_vacuum v JOIN pg_stat_activity a USING (pid)
       WHERE a.backend_type = 'autovacuum worker' AND v.datname = current_database()
         AND v.relid = '%s'::regclass""";

  private final SandboxShard shard;
  private final String table;

  private LastingAutovacuum(SandboxShard shard, String table) {
    this.shard = shard;
    this.table = table;
  }

  /**
   * Returns once it runs.
   *
   * @param fill gives the table 50,000 new rows
   */
  public static LastingAutovacuum of(SandboxShard shard, String table, String fill)
      throws SQLException, InterruptedException {
    LastingAutovacuum autovacuum = new LastingAutovacuum(shard, table);
    shard.executeAsSuperuser(
        """
        ALTER TABLE %s SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
          autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0)"""
            .formatted(table),
        fill,
        "ALTER SYSTEM SET autovacuum_naptime = '1s'",
        "SELECT pg_reload_conf()");
    while (!autovacuum.isRunning()) {
      Thread.sleep(100); // between two looks
    }
    return autovacuum;
  }

  /** Whether it has neither come to its end nor been ended. */
  public boolean isRunning() throws SQLException {
    return shard.query(RUNNING.formatted(table)).equals(List.of("1"));
  }

  @Override
  public void close() throws SQLException {
    shard.executeAsSuperuser("ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()");
  }
}
