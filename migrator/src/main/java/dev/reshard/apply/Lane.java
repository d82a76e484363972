package dev.reshard.apply;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ShardSessions;
import java.time.Duration;

/**
 * Replication from one shard to one other. Applies whole transactions in commit order on a thread
 * of its own, from the position that {@link LaneProgress} has stored at the destination.
 *
 * <p>Stops by itself, with a {@link LaneException} in its status, at what it cannot apply; a new
 * lane goes on from the same position. Thread-safe; {@link #hold}, {@link #applyTo} and {@link
 * #resume} are for one caller at a time.
 */
public final class Lane implements AutoCloseable {
  /** How long closing waits for the batch in flight, and again after its session was ended. */
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(5);

  private final LaneConfig config;
  private final LaneGate gate = new LaneGate();
  private final TokenBoard tokens = new TokenBoard();
  private final LaneLoop loop;
  private final Thread thread;
  private final Thread watch;
  private boolean started;

  /** Starts nothing. */
  public Lane(
      LaneConfig config, LaneLimits limits, ShardSessions sessions, ChangeSource.Factory source) {
    this(config, limits, sessions, source, null);
  }

  /**
   * Starts nothing.
   *
   * @param listener is told every row that the lane changes; may be null
   */
  public Lane(
      LaneConfig config,
      LaneLimits limits,
      ShardSessions sessions,
      ChangeSource.Factory source,
      ChangedKeys listener) {
    this.config = config;
    this.loop = new LaneLoop(config, limits, sessions, source, listener, gate, tokens);
    this.thread = new Thread(loop, "lane-" + config.name());
    this.thread.setDaemon(true);
    this.watch = new Thread(loop.watch(), "lane-watch-" + config.name());
    this.watch.setDaemon(true);
  }

  public LaneConfig config() {
    return config;
  }

  /** Begins to apply; returns at once. May be called once. */
  public synchronized void start() {
    thread.start();
    watch.start();
    started = true;
  }

  /**
   * Returns when no batch is in flight and none will start.
   *
   * @throws LaneException if the lane has stopped
   */
  public void hold() throws InterruptedException {
    gate.hold();
  }

  /**
   * Applies, while held, exactly what ends at or before {@code target}, and waits for it: a later
   * transaction, such as a heartbeat, proves that nothing is missing. The lane stays held.
   *
   * @return false if the time is over; then some of it may be applied, but nothing behind it
   * @throws IllegalStateException if the lane is not held, or is past {@code target} already
   * @throws LaneException if the lane has stopped
   */
  public boolean applyTo(Lsn target, Duration timeout) throws InterruptedException {
    if (applied().isAfter(target)) {
      throw new IllegalStateException(
          "lane %s is at %s, past %s: hold it before the position is taken"
              .formatted(config.name(), applied(), target));
    }
    return gate.runTo(target, timeout);
  }

  /** Applies again whatever comes. */
  public void resume() {
    gate.resume();
  }

  /** The end of the last transaction that is committed at the destination. */
  public Lsn applied() {
    return loop.progress().applied().applied();
  }

  /**
   * The position that no crash of the destination can undo; records before it may be deleted.
   * {@link Lsn#ZERO} until the lane has connected.
   */
  public LanePosition durable() {
    return loop.progress().durable();
  }

  /**
   * Waits until the transaction with a fence token is applied and flushed: then all that committed
   * before the token is at the destination, and stays there.
   *
   * @return false if the time is over
   * @throws LaneException if the lane has stopped before the token
   */
  public boolean awaitToken(String token, Duration timeout) throws InterruptedException {
    return tokens.await(token, timeout);
  }

  public LaneStatus status() {
    return loop.status();
  }

  /** Ends the lane after its batch in flight, within 10 seconds. Idempotent. */
  @Override
  public synchronized void close() {
    gate.close();
    if (!started) {
      return;
    }
    watch.interrupt();
    try {
      thread.join(CLOSE_WAIT.toMillis());
      if (thread.isAlive()) {
        loop.abort();
        thread.join(CLOSE_WAIT.toMillis());
      }
    } catch (InterruptedException e) {
      loop.abort();
      Thread.currentThread().interrupt();
    }
  }
}
