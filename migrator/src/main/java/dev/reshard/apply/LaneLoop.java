package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.apply.LaneStatus.State;
import dev.reshard.change.ChangeException;
import dev.reshard.change.Transaction;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.OwnTransaction.Durability;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.SqlState;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a lane's thread does: wait for transactions, apply what has come as one batch, again. All
 * fields but the volatile ones belong to that thread.
 */
final class LaneLoop implements Runnable {

  /** What others see. {@code committed} is null before the first transaction. */
  record Progress(LanePosition applied, LanePosition durable, Instant committed, long rows) {}

  /** One value, so that nobody sees a state without its reason. */
  private record Condition(State state, Optional<String> reason) {}

  private static final Logger log = LoggerFactory.getLogger(LaneLoop.class);

  private final LaneConfig config;
  private final LaneLimits limits;
  private final ShardSessions sessions;
  private final LaneGate gate;
  private final TokenBoard tokens;
  private final Destination destination;
  private final Incoming incoming;
  private final Backoff backoff;
  private final LaneWatch watch;
  private long flushedAtNanos;

  private volatile Progress progress =
      new Progress(
          LanePosition.startingAfter(Lsn.ZERO), LanePosition.startingAfter(Lsn.ZERO), null, 0);
  private volatile Condition condition = new Condition(State.NEW, Optional.empty());

  /** 0 while no batch is in flight. */
  private volatile long batchBeganNanos;

  LaneLoop(
      LaneConfig config,
      LaneLimits limits,
      ShardSessions sessions,
      ChangeSource.Factory source,
      ChangedKeys listener,
      LaneGate gate,
      TokenBoard tokens) {
    this.config = config;
    this.limits = limits;
    this.sessions = sessions;
    this.gate = gate;
    this.tokens = tokens;
    this.destination = new Destination(sessions, config, limits, new KeyTeller(listener));
    this.incoming = new Incoming(source, limits);
    this.backoff = new Backoff();
    this.watch =
        new LaneWatch(config, sessions, destination, () -> batchBeganNanos, limits.lookEvery());
  }

  Progress progress() {
    return progress;
  }

  LaneStatus status() {
    Progress now = progress;
    Condition is = condition;
    State shown = is.state == State.RUNNING && gate.isHeld() ? State.HELD : is.state;
    return new LaneStatus(
        shown,
        now.applied(),
        now.durable(),
        Optional.ofNullable(now.committed())
            .map(at -> positive(Duration.between(at, sessions.now(config.source())))),
        now.rows(),
        is.reason);
  }

  /** To be run on a thread of its own for as long as the lane's. */
  Runnable watch() {
    return watch;
  }

  /** Ends what the thread waits for. Any thread. */
  void abort() {
    destination.abort();
  }

  @Override
  public void run() {
    LaneException end = new LaneException(Problem.CLOSED, "lane " + config.name() + " is closed");
    State last = State.CLOSED;
    try (incoming;
        destination) {
      running();
      while (gate.awaitWork()) {
        round();
      }
    } catch (LaneException e) {
      end = e;
      last = State.STOPPED;
      log.error("lane {} stopped, {}: {}", config.name(), e.problem(), e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      end =
          new LaneException(
              Problem.FAILED,
              """
              Lane %s failed: %s. What it applied before is committed. Its log has more; where it is \
              memory, start the worker anew with a larger heap (-Xmx), then 'reshard resume'."""
                  .formatted(config.name(), e),
              e);
      last = State.STOPPED;
      log.error("lane {} failed", config.name(), e);
    }
    condition =
        new Condition(
            last, last == State.STOPPED ? Optional.of(end.getMessage()) : Optional.empty());
    gate.stop(end);
    tokens.stop(end);
  }

  private void running() {
    condition = new Condition(State.RUNNING, Optional.empty());
  }

  private void round() throws InterruptedException {
    try {
      if (destination.isConnected() && incoming.isOpen()) {
        incoming.fill(progress.applied());
      }
      applyRound();
    } catch (SourceAwayException e) {
      incoming.close();
      retrying(e.getMessage());
    }
    if (backoff.failures() > 0) {
      gate.pause(backoff.delay());
    }
  }

  private void applyRound() throws SourceAwayException {
    Optional<Lsn> limit = gate.begin();
    if (limit.isEmpty()) {
      return;
    }
    try {
      if (!destination.isConnected() || !incoming.isOpen()) {
        connect();
      }
      List<Transaction> batch = incoming.batch(limit.get());
      if (!batch.isEmpty()) {
        batchBeganNanos = System.nanoTime();
        apply(batch);
      }
      if (condition.state == State.RETRYING) {
        log.info("lane {} goes on", config.name());
        running();
      }
      backoff.succeeded();
    } catch (SQLException e) {
      failed(e);
    } catch (ChangeException | KafkaException e) {
      throw Incoming.failed(e); // a large transaction is read while it is applied
    } finally {
      batchBeganNanos = 0;
      gate.end(incoming.provenAfter(progress.applied()));
    }
  }

  /** The first time, or after the session broke: maybe during a commit whose fate is unknown. */
  private void connect() throws SQLException, SourceAwayException {
    LaneProgress.Stored stored = destination.connect();
    LanePosition position = stored.position();
    LanePosition before = progress.applied();
    boolean isBehind = before.applied().isAfter(position.applied());
    if (isBehind) {
      tokens.forget();
    }
    progress = new Progress(position, position, progress.committed(), progress.rows());
    flushedAtNanos = System.nanoTime();
    // before the topic is opened: whoever waits for a token that is applied need not wait for Kafka
    stored.lastToken().ifPresent(token -> tokens.seen(List.of(token)));
    if (!incoming.isOpen()) {
      log.info("lane {} starts after {}", config.name(), position.applied());
      incoming.open(position);
    } else if (isBehind) {
      log.warn(
          "shard {} came back at {}, before {}: its last asynchronous commits are lost and applied again",
          config.destination(),
          position.applied(),
          before.applied());
      incoming.open(position);
    } else {
      incoming.dropUpTo(position.applied());
    }
  }

  private void apply(List<Transaction> batch) throws SQLException {
    Durability durability = durability(batch);
    Optional<BatchPlan> plan = applyCoalesced(batch, durability);
    if (plan.isPresent()) {
      applied(batch, plan.get(), durability);
    } else {
      applyInOrder(batch);
    }
  }

  /** Empty if something in it has to be found out. */
  private Optional<BatchPlan> applyCoalesced(List<Transaction> batch, Durability durability)
      throws SQLException {
    try {
      return Optional.of(destination.apply(batch, progress.applied(), durability));
    } catch (LaneException e) {
      if (e.problem() == Problem.OVERTAKEN) {
        throw e;
      }
      log.debug("lane {}: batch is applied again in order: {}", config.name(), e.problem());
      return Optional.empty();
    } catch (SQLException e) {
      if (SqlState.mayPass(e) || SqlState.isLeaseLost(e)) {
        throw e;
      }
      log.debug("lane {}: batch is applied again in order: {}", config.name(), e.getSQLState());
      return Optional.empty();
    }
  }

  private void applyInOrder(List<Transaction> batch) throws SQLException {
    for (Transaction transaction : batch) {
      List<Transaction> one = List.of(transaction);
      Durability durability = durability(one);
      BatchPlan plan = destination.applyInOrder(transaction, progress.applied(), durability);
      applied(one, plan, durability);
    }
  }

  private Durability durability(List<Transaction> batch) {
    boolean flush =
        System.nanoTime() - flushedAtNanos >= limits.flushEvery().toNanos()
            || batch.stream().anyMatch(transaction -> !transaction.tokens().isEmpty());
    return flush ? Durability.SYNCHRONOUS : Durability.ASYNCHRONOUS;
  }

  private void applied(List<Transaction> batch, BatchPlan plan, Durability durability) {
    Transaction last = batch.get(batch.size() - 1);
    LanePosition position = LanePosition.after(last);
    boolean flushed = durability == Durability.SYNCHRONOUS;
    progress =
        new Progress(
            position,
            flushed ? position : progress.durable(),
            last.committed(),
            progress.rows() + plan.rows());
    if (flushed) {
      flushedAtNanos = System.nanoTime();
      tokens.seen(batch.stream().map(Transaction::tokens).flatMap(Collection::stream).toList());
    }
    incoming.remove(batch.size());
  }

  private void failed(SQLException e) {
    if (SqlState.isLeaseLost(e)) {
      throw new LaneException(Problem.LEASE_LOST, SqlFailures.describe(e));
    }
    if (SqlState.isBroken(e)) {
      destination.disconnect();
    }
    String what = SqlFailures.describe(e);
    if (!SqlState.mayPass(e)) {
      throw new LaneException(
          Problem.DESTINATION_FAILED,
          """
          Lane %s could not write to shard %s: %s. What it applied before is committed; mend that, \
          then 'reshard resume'."""
              .formatted(config.name(), config.destination(), what));
    }
    retrying(what);
  }

  /** What may pass is tried again for as long as it takes: the status says what it is. */
  private void retrying(String what) {
    backoff.failed();
    if (condition.state != State.RETRYING) {
      log.warn("lane {} retries: {}", config.name(), what);
    }
    condition = new Condition(State.RETRYING, Optional.of(what));
  }

  private static Duration positive(Duration duration) {
    return duration.isNegative() ? Duration.ZERO : duration;
  }
}
