package dev.reshard.publish;

import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Outbox;
import dev.reshard.migration.Migration;
import dev.reshard.topics.Event;
import java.sql.SQLException;
import java.util.List;

/**
 * The transition log of a migration. The topic is the migration's and is deleted with it. Confined
 * to one thread.
 */
final class EventFeed implements Feed {
  private final Migration migration;
  private List<Outbox.Line> given = List.of();

  EventFeed(Migration migration) {
    this.migration = migration;
  }

  @Override
  public String topic() {
    return migration.topics().events();
  }

  @Override
  public Settings settings() {
    return Settings.KEEP_ALL;
  }

  /** Not while topics are deleted: a record would make this one again. */
  @Override
  public boolean runsIn(MigrationState state) {
    return switch (state) {
      case PENDING,
          PREPARING,
          COPYING,
          CATCHING_UP,
          READY_FOR_CUTOVER,
          CUTTING_OVER,
          COMPLETED,
          ROLLING_BACK,
          ROLLED_BACK,
          PAUSED,
          FAILED ->
          true;
      case CLEANING_UP, CLEANED, CANCELLED -> false;
    };
  }

  @Override
  public void register() throws SQLException {
    migration.control().registry().register(migration.home(), Kind.TOPIC, topic(), "");
  }

  @Override
  public List<Message> pending() throws SQLException {
    given = migration.control().outbox().pending();
    return given.stream().map(line -> new Message(migration.name(), event(line).toJson())).toList();
  }

  private Event event(Outbox.Line line) {
    boolean isState = line.unit().isEmpty();
    return new Event(
        Event.VERSION,
        migration.name(),
        line.id(),
        line.at().toString(),
        isState ? Event.STATE : Event.UNIT,
        isState ? null : line.unit(),
        line.from(),
        line.to(),
        line.epoch().orElse(null),
        line.who(),
        line.why());
  }

  @Override
  public void published() throws SQLException {
    if (!given.isEmpty()) {
      migration.control().outbox().published(given.get(given.size() - 1).id());
      given = List.of();
    }
  }
}
