package dev.reshard.schema;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes what a destination lacks. Each object is one server call and one transaction, written into
 * the cleanup registry before; so whoever is killed leaves whole objects behind, and the next plan
 * goes on where this one ended. Confined to one thread.
 */
final class SchemaWriter {
  /**
   * Bodies may name what comes later, and no setting of the destination may creep in. Row security
   * may be on, unlike in our other sessions: the server itself asks a new table with a policy
   * whether it fits a foreign key, and the table is empty.
   */
  private static final List<String> SETTINGS =
      List.of(
          "SET LOCAL check_function_bodies = off",
          "SET LOCAL default_table_access_method = heap",
          "SET LOCAL row_security = on");

  /**
   * How much memory the build of an index may take on a destination that only waits for it: a
   * server's default is for small tables.
   */
  static final String SORTING_KB =
      "greatest(pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) / 1024, 262144)";

  private static final String ROOM_FOR_SORTING =
      "PERFORM pg_catalog.set_config('maintenance_work_mem', %s || 'kB', true);"
          .formatted(SORTING_KB);

  private final ShardSessions sessions;
  private final CleanupRegistry registry;
  private final WorkerIdentity worker;

  SchemaWriter(ShardSessions sessions, CleanupRegistry registry, WorkerIdentity worker) {
    this.sessions = sessions;
    this.registry = registry;
    this.worker = worker;
  }

  /**
   * Takes the steps of a plan.
   *
   * @throws SchemaException if the destination refuses one; those before it stay
   */
  void make(SchemaPlan plan) throws SQLException, InterruptedException {
    ShardId shard = plan.destination();
    try (Connection connection = sessions.open(shard, "schema")) {
      for (SchemaPlan.Step step : plan.steps()) {
        if (!step.undo().isEmpty()) {
          registry.register(shard, Kind.SCHEMA_OBJECT, step.name(), step.undo());
        }
        try {
          if (step.late()) {
            StrongLock.firmly(connection, call(step));
          } else {
            StrongLock.politely(connection, call(step));
          }
        } catch (SQLException e) {
          if (isRefusal(e)) {
            registry.forget(shard, Kind.SCHEMA_OBJECT, step.name());
          }
          throw new SchemaException(
              "%s: could not make %s: %s. What was made before it stays; mend that, then 'reshard run' again goes on from there"
                  .formatted(shard, step.name(), e.getMessage()),
              e);
        }
      }
    }
  }

  /**
   * Whether the server said no. A session that broke may have done its work, and a worker that lost
   * its lease (RS002) must not touch what its successor wrote down.
   */
  private static boolean isRefusal(SQLException e) {
    String state = e.getSQLState();
    return state != null
        && !state.startsWith("08")
        && !state.startsWith("57")
        && !state.startsWith("RS");
  }

  /** One statement, so that a worker that freezes holds no lock. */
  private String call(SchemaPlan.Step step) {
    List<String> statements = new ArrayList<>(SETTINGS);
    if (!step.asOurselves().isEmpty()) {
      statements.add(step.asOurselves());
    }
    statements.add("SET LOCAL ROLE " + TableId.quote(step.owner()));
    statements.addAll(step.statements());
    StringBuilder body = new StringBuilder();
    body.append(
        "BEGIN PERFORM reshard.check_lease(%s, %d);"
            .formatted(literal(worker.migration()), worker.lease()));
    if (step.late()) {
      body.append('\n').append(ROOM_FOR_SORTING);
    }
    statements.forEach(sql -> body.append("\nEXECUTE ").append(literal(sql)).append(';'));
    body.append("\nEND");
    return "DO " + literal(body.toString());
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
