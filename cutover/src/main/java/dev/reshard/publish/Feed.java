package dev.reshard.publish;

import dev.reshard.control.MigrationState;
import java.sql.SQLException;
import java.util.List;

/** What is to be published in one topic. Confined to the publisher's thread. */
interface Feed extends AutoCloseable {

  /** One record. */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  record Message(String key, byte[] json) {}

  String topic();

  /** The topic's own settings. */
  Settings settings();

  /** Whether it may be published while the migration is in a state. */
  boolean runsIn(MigrationState state);

  /** Called before the topic is made. */
  void register() throws SQLException;

  /** The oldest messages that are not published; asked again, the same until they are. */
  List<Message> pending() throws SQLException;

  /** Kafka has all that {@link #pending} gave last. */
  void published() throws SQLException;

  /** Ends what {@link #pending} has opened; it may be called again afterwards. */
  @Override
  default void close() throws SQLException {}

  /** How long a topic keeps its records. */
  enum Settings {
    /** All of them, until the topic is deleted. */
    KEEP_ALL,
    /** The last one of each key. */
    KEEP_LAST
  }
}
