package dev.reshard.capture;

import dev.reshard.capture.CaptureStatus.State;
import dev.reshard.change.ChangeException;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ReplicationSlots.Slot;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Capture of one shard, and its supervisor: when an incarnation fails, a new one begins, with a new
 * number, and PostgreSQL sends again whatever was not confirmed. Gives up only where starting again
 * would meet the same ({@link CaptureException}), and says so. Thread-safe.
 *
 * <pre>
 * IDLE -- start --> STARTING --> STREAMING -- error --> RESTARTING --> STARTING ..
 *                                          -- CaptureException --> FAILED
 *                   any -- close --> CLOSED
 * </pre>
 */
public final class Capture implements AutoCloseable {
  /** For {@code durable}: Kafka's acknowledgement is enough. */
  public static final Supplier<Lsn> KAFKA_IS_ENOUGH = () -> new Lsn(-1L);

  private static final Logger LOG = LoggerFactory.getLogger(Capture.class);
  private static final Duration FIRST_BACKOFF = Duration.ofMillis(200);
  private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(10);

  /** Longer than the engine takes to end in good order; after that its threads are left behind. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);

  /** One each second: an incarnation that has just ended, or begun, is none. */
  private static final int UNREAD_LOOKS = 3;

  private final CaptureSource source;
  private final CaptureTarget target;
  private final LongSupplier incarnations;
  private final Supplier<Lsn> durable;

  private final CountDownLatch closing = new CountDownLatch(1);
  private final Heartbeat heartbeat;
  private final Thread heartbeatThread;
  private final Thread supervisor;

  private volatile Incarnation incarnation;
  private volatile State state = State.IDLE;
  private volatile String reason = "";
  private volatile CaptureException problem;

  /** The heartbeat's thread's own. */
  private Incarnation lookedAt;

  private int unreadLooks;

  /**
   * @param incarnations gives each start its number, higher than any before, also than those of
   *     other processes
   * @param durable the position up to which changes are safe beyond Kafka: the slot is confirmed up
   *     to there at most, so that a topic that loses records can still be filled again from the
   *     source (HAZARDS F23); {@link #KAFKA_IS_ENOUGH} to confirm whatever Kafka acknowledged
   */
  public Capture(
      CaptureSource source,
      CaptureTarget target,
      LongSupplier incarnations,
      Supplier<Lsn> durable) {
    this.source = source;
    this.target = target;
    this.incarnations = incarnations;
    this.durable = durable;
    this.heartbeat = new Heartbeat(source, this::lookAt, this::giveUp);
    this.heartbeatThread = daemon(heartbeat, "heartbeat");
    this.supervisor = daemon(this::supervise, "capture");
  }

  /**
   * Begins to stream; returns at once.
   *
   * @throws IllegalStateException if it was started before
   */
  public synchronized void start() {
    if (state != State.IDLE) {
      throw new IllegalStateException("capture of %s is %s".formatted(source.shard(), state));
    }
    state = State.STARTING;
    supervisor.start();
    heartbeatThread.start();
  }

  public synchronized CaptureStatus status() {
    Incarnation current = incarnation;
    Progress.Published published =
        current == null
            ? new Progress.Published(Lsn.ZERO, Instant.EPOCH)
            : current.progress().published();
    State now =
        state == State.STARTING && current != null && current.isStreaming()
            ? State.STREAMING
            : state;
    return new CaptureStatus(
        now,
        now == State.STREAMING ? "" : reason,
        Optional.ofNullable(problem).map(CaptureException::reason),
        current == null ? 0 : current.number(),
        published.end(),
        Optional.of(published.when()).filter(when -> !when.equals(Instant.EPOCH)),
        heartbeat.slot());
  }

  /** Stops streaming; what was not confirmed is sent again by the next start. Idempotent. */
  @Override
  public void close() {
    closing.countDown();
    heartbeat.stop();
    heartbeatThread.interrupt();
    Incarnation current = incarnation;
    if (current != null) {
      current.stop();
    }
    try {
      supervisor.join(CLOSE_TIMEOUT.toMillis());
      heartbeatThread.join(CLOSE_TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (supervisor.isAlive()) {
      LOG.warn(
          "capture of {}: the engine did not end within {}; it has no session any more",
          source.shard(),
          CLOSE_TIMEOUT);
    }
    state = State.CLOSED;
  }

  private void supervise() {
    Duration backoff = FIRST_BACKOFF;
    while (!hasEnded()) {
      tell(State.STARTING, reason);
      Incarnation previous = incarnation;
      Throwable error = runOnce();
      CaptureException permanent = permanent(error);
      if (permanent != null) {
        giveUp(permanent);
      } else if (error != null && !hasEnded()) {
        boolean progressed = incarnation != previous && incarnation.progress().hasPublished();
        backoff = progressed ? FIRST_BACKOFF : longer(backoff);
        String ended = "capture of shard %s ended: %s".formatted(source.shard(), message(error));
        tell(State.RESTARTING, ended);
        LOG.warn("{}; next try in {} ms", ended, backoff.toMillis());
        awaitClosing(backoff);
      }
    }
  }

  /** Runs one incarnation to its end; null if it was asked to end. */
  private Throwable runOnce() {
    try {
      long number;
      Slot slot;
      try (Connection connection = source.sessions().open(source.shard(), "capture")) {
        // after the session, which takes the shard over: a capture that began before cannot stream
        // under a higher number then. Before the slot: who gets none has lost its lease, and must
        // not end another's session
        number = incarnations.getAsLong();
        slot = SlotCheck.takeOver(connection, source);
      }
      Incarnation next = new Incarnation(source, target, number, slot.confirmed(), durable);
      incarnation = next;
      if (hasEnded()) {
        return null;
      }
      LOG.info(
          "capture of shard {}: incarnation {} from {}",
          source.shard(),
          next.number(),
          slot.confirmed());
      return next.run();
    } catch (SQLException | RuntimeException e) {
      return e;
    }
  }

  /**
   * A stream that the server has ended while no word of that came through goes on for the engine,
   * and stays silent. On the heartbeat's thread.
   */
  private void lookAt(Slot seen) {
    Incarnation current = incarnation;
    boolean unread = current != null && current.isStreaming() && !seen.active();
    unreadLooks = unread && current == lookedAt ? unreadLooks + 1 : 0;
    lookedAt = current;
    if (unreadLooks == UNREAD_LOOKS) {
      current.end(
          new SQLException(
              "the server ended the stream of replication slot %s, and the network did not tell"
                  .formatted(source.slot()),
              "08006"));
    }
  }

  private void giveUp(CaptureException why) {
    synchronized (this) {
      // also if it had given up: what its slot kept is lost then, which is worse
      boolean isNews =
          problem == null || (why.reason().isSlotGone() && !problem.reason().isSlotGone());
      if (!isNews || isClosing()) {
        return;
      }
      problem = why;
      reason = why.getMessage();
      state = State.FAILED;
    }
    LOG.error("capture of shard {} gives up: {}", source.shard(), why.getMessage());
    if (why.reason().isSlotGone()) {
      heartbeat.stop();
    } else {
      heartbeat.onlyLook();
    }
    Incarnation current = incarnation;
    if (current != null) {
      current.fail(why);
    }
  }

  /** The supervisor's word; the heartbeat may have given up meanwhile, and that stands. */
  private synchronized void tell(State next, String why) {
    if (problem == null) {
      state = next;
      reason = why;
    }
  }

  private boolean hasEnded() {
    return isClosing() || problem != null;
  }

  private boolean isClosing() {
    return closing.getCount() == 0;
  }

  private void awaitClosing(Duration timeout) {
    try {
      if (closing.await(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.debug("capture of shard {} is closing", source.shard());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Thread daemon(Runnable task, String what) {
    Thread thread = new Thread(task, "reshard-%s-%s".formatted(what, source.shard()));
    thread.setDaemon(true);
    return thread;
  }

  private static Duration longer(Duration backoff) {
    Duration doubled = backoff.multipliedBy(2);
    return doubled.compareTo(LONGEST_BACKOFF) > 0 ? LONGEST_BACKOFF : doubled;
  }

  private static CaptureException permanent(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof CaptureException permanent) {
        return permanent;
      }
    }
    return null;
  }

  /** What PostgreSQL or Kafka said, for what wraps it only says that something failed. */
  private static String message(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null
        && !(cause instanceof SQLException)
        && !(cause instanceof ChangeException)) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }
}
