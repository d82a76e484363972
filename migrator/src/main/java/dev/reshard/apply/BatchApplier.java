package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.Transaction;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.OwnTransaction.Durability;
import dev.reshard.postgres.SqlState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;

/**
 * Applies batches over one connection: data and position in one transaction, or nothing. Confined
 * to the lane's thread.
 */
final class BatchApplier {
  private final Connection connection;
  private final LaneConfig config;
  private final LaneLimits limits;
  private final LaneFilter filter;
  private final DestinationTables tables;
  private final StepWriter writer;
  private final KeyTeller teller;
  private BucketSet muted;
  private long muteChanges;

  BatchApplier(
      Connection connection,
      LaneConfig config,
      LaneLimits limits,
      LaneProgress.Stored stored,
      KeyTeller teller) {
    this.connection = connection;
    this.config = config;
    this.limits = limits;
    this.filter =
        new LaneFilter(config.buckets(), config.reference(), config.keyspace(), config.absent());
    this.tables = new DestinationTables(connection, config);
    this.writer = new StepWriter(connection, config);
    this.teller = teller;
    this.muted = stored.muted();
    this.muteChanges = stored.muteChanges();
  }

  /**
   * Applies a batch, coalesced.
   *
   * @return what was applied
   * @throws SQLException if the server refused; nothing is applied, unless the connection broke
   *     during the commit
   * @throws LaneException if something in it cannot be applied; nothing is
   */
  BatchPlan apply(List<Transaction> batch, LanePosition from, Durability durability)
      throws SQLException {
    return commit(batch, from, durability, false);
  }

  /** Applies one transaction change by change; an error names what is wrong. */
  BatchPlan applyInOrder(Transaction transaction, LanePosition from, Durability durability)
      throws SQLException {
    try {
      return commit(List.of(transaction), from, durability, true);
    } catch (LaneException e) {
      throw new LaneException(
          e.problem(), "%s: %s".formatted(where(transaction), e.getMessage()), e);
    } catch (SQLException e) {
      if (SqlState.mayPass(e) || SqlState.isLeaseLost(e)) {
        throw e;
      }
      // Not the cause: its detail holds values of the row.
      throw new LaneException(
          SqlFailures.problem(e),
          """
          %s: shard %s refused a change%s (%s). That transaction and all after it are not applied. \
          Find out why the destination's rule meets a row that the source accepted, then start the \
          lane again."""
              .formatted(
                  where(transaction),
                  config.destination(),
                  writer.lastTable().map(table -> " of " + table.id()).orElse(""),
                  SqlFailures.describe(e)));
    }
  }

  private BatchPlan commit(
      List<Transaction> batch, LanePosition from, Durability durability, boolean inOrder)
      throws SQLException {
    BatchPlan plan = plan(batch, inOrder);
    Transaction last = batch.get(batch.size() - 1);
    try (OwnTransaction own = OwnTransaction.begin(connection, config.worker(), durability)) {
      long changes =
          LaneProgress.advance(
                  connection,
                  config,
                  from,
                  LanePosition.after(last),
                  token(batch),
                  last.committed())
              .orElseThrow(() -> overtaken(from));
      if (changes != muteChanges) {
        muted =
            LaneProgress.find(connection, config.migration(), config.source())
                .orElseThrow()
                .muted();
        muteChanges = changes;
        plan = plan(batch, inOrder);
      }
      if (plan.violations().isEmpty()) {
        plan.write(writer::write);
      }
      if (plan.violations().isEmpty()) {
        try {
          own.commit();
        } finally {
          teller.tell(plan); // it may be committed even if nobody hears the answer
        }
        return plan;
      }
    }
    throw violation(plan.violations(), inOrder);
  }

  private BatchPlan plan(List<Transaction> batch, boolean inOrder) throws SQLException {
    return BatchPlan.of(batch, filter, muted, tables::get, limits, this::beat, inOrder);
  }

  /** A transaction may be long and concern the lane not at all; {@link LaneWatch} looks. */
  private void beat() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT");
    }
  }

  private LaneException violation(List<BatchPlan.Violation> violations, boolean inOrder)
      throws SQLException {
    BatchPlan.Violation first = violations.get(0);
    if (inOrder) {
      RejectedChanges.store(connection, config, violations);
    }
    return new LaneException(
        Problem.MUTED_BUCKET,
        """
        %s of %s in %d change(s) of buckets that have left shard %s: somebody wrote there past the \
        guard (a disabled trigger, TRUNCATE by the owner, a superuser). Not applied: %s owns these \
        buckets, and its rows are as its applications left them. The keys are in reshard.rejected on \
        %s. Undo the change on %s and find who made it. This lane does not go past it; 'reshard \
        complete' ends the migration with the buckets where they are."""
            .formatted(
                first.change().kind(),
                first.change().table().id(),
                violations.size(),
                config.source(),
                config.destination(),
                config.destination(),
                config.source()));
  }

  private static Optional<String> token(List<Transaction> batch) {
    return batch.stream().flatMap(t -> t.tokens().stream()).reduce((first, second) -> second);
  }

  private LaneException overtaken(LanePosition from) {
    return new LaneException(
        Problem.OVERTAKEN,
        """
        The stored position of lane %s on shard %s is no longer %s, where this worker left it: \
        another worker moves it too. This one stops; nothing of its batch was applied."""
            .formatted(config.name(), config.destination(), from.applied()));
  }

  private String where(Transaction transaction) {
    return "Lane %s, transaction of shard %s that ends at %s"
        .formatted(config.name(), config.source(), transaction.end());
  }
}
