package dev.reshard.capture;

import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ReplicationSlots.Slot;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Once a second commits a message of its own, so that lag can be measured from the source's commit
 * to wherever it is read, and an idle shard's slot moves on; and looks whether the slot is still
 * whole, for Debezium alone would wait half an hour for one that never comes back. Runs on a thread
 * of its own until {@link #stop}.
 */
final class Heartbeat implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

  /** How exactly lag is known on an idle shard. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final CaptureSource source;
  private final Consumer<Slot> slotSeen;
  private final Consumer<CaptureException> slotGone;
  private volatile boolean stopped;
  private volatile boolean silent;
  private volatile Optional<Slot> slot = Optional.empty();
  private Connection session;

  /**
   * @param slotSeen told at each look
   * @param slotGone told when the slot cannot give any more what it owes
   */
  Heartbeat(CaptureSource source, Consumer<Slot> slotSeen, Consumer<CaptureException> slotGone) {
    this.source = source;
    this.slotSeen = slotSeen;
    this.slotGone = slotGone;
  }

  @Override
  public void run() {
    try {
      while (!stopped) {
        beat();
        Thread.sleep(INTERVAL.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      closeSession();
    }
  }

  /** Makes {@link #run} return soon; interrupt its thread to make it at once. */
  void stop() {
    stopped = true;
  }

  /** From now on only looks at the slot: it keeps WAL, though nobody reads it. */
  void onlyLook() {
    silent = true;
  }

  /** As it was seen last; empty before the first look. */
  Optional<Slot> slot() {
    return slot;
  }

  private void beat() {
    try {
      if (session == null) {
        session = source.sessions().openBrief(source.shard(), "heartbeat");
        try (Statement statement = session.createStatement()) {
          // a standby that lags would otherwise look like a capture that lags
          statement.execute("SET synchronous_commit = local");
        }
      }
      if (!silent) {
        emit();
      }
      Slot seen = SlotCheck.require(session, source);
      slot = Optional.of(seen);
      slotSeen.accept(seen);
    } catch (SQLException e) {
      LOG.warn("shard {}: no heartbeat: {}", source.shard(), e.getMessage());
      closeSession();
    } catch (CaptureException e) {
      slotGone.accept(e);
    }
  }

  private void emit() throws SQLException {
    try (PreparedStatement statement =
        session.prepareStatement("SELECT pg_logical_emit_message(true, ?, ?)")) {
      statement.setString(1, Marker.HEARTBEAT);
      statement.setString(2, Long.toString(System.currentTimeMillis()));
      statement.execute();
    }
  }

  private void closeSession() {
    try {
      if (session != null) {
        session.close();
      }
    } catch (SQLException e) {
      LOG.debug("heartbeat's session was broken: {}", e.getMessage());
    }
    session = null;
  }
}
