package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether every sharded table has the shard key, and never NULL. Immutable. */
final class ShardKeys implements Check {
  /** For finding one row that has no key. */
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private final Subject subject;

  ShardKeys(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "shard key";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject.sessions().look(subject.shards(), this::on);
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    TimeBox box = new TimeBox(session, LIMIT);
    for (ShardedTable sharded : subject.keyspace().sharded()) {
      Optional<Table> table = subject.table(session.shard(), sharded.id());
      if (table.isPresent()) {
        findings.addAll(of(session.shard(), sharded, table.get(), box));
      }
    }
    return findings;
  }

  private List<Finding> of(ShardId shard, ShardedTable sharded, Table table, TimeBox box)
      throws SQLException {
    TableId id = sharded.id();
    if (!table.hasColumn(sharded.key())) {
      return List.of(
          Finding.blocker("has no column %s".formatted(sharded.key()))
              .at(shard)
              .on(id)
              .todo(
                  "if another column holds the shard key, name it under keyspace.tables.key_of; if its rows are the same on every shard, list it as reference; if it shall stay where it is, as ignored; else add the column and fill it"));
    }
    Column key = table.column(sharded.key());
    if (key.generated()) {
      return List.of(
          Finding.blocker(
                  "%s is a generated column, which changes do not say".formatted(key.name()))
              .at(shard)
              .on(id)
              .todo(
                  "ALTER COLUMN .. DROP EXPRESSION, and let the application or a trigger fill it"));
    }
    return key.notNull() ? List.of() : List.of(nullable(box, id, key).at(shard).on(id));
  }

  private static Finding nullable(TimeBox box, TableId id, Column key) throws SQLException {
    boolean some =
        box.query(
                "SELECT FROM %s WHERE %s IS NULL LIMIT 1".formatted(id.quoted(), key.quoted()),
                row -> true)
            .filter(rows -> !rows.isEmpty())
            .isPresent();
    if (some) {
      return Finding.blocker(
              "has rows whose %s is NULL, and such a row has no bucket".formatted(key.name()))
          .todo("give them a key or delete them, then ALTER COLUMN .. SET NOT NULL");
    }
    return Finding.blocker(
            "%s may be NULL, and such a row would have no bucket".formatted(key.name()))
        .todo("ALTER COLUMN .. SET NOT NULL ('--fixes' prints a way that locks nobody out)")
        .sql(setNotNull(id, key));
  }

  /** The constraint is validated under a lock that writers pass; SET NOT NULL then trusts it. */
  private static String setNotNull(TableId id, Column key) {
    String alter = "ALTER TABLE " + id.quoted();
    String constraint = TableId.quote("reshard_" + key.name() + "_not_null");
    return String.join(
        "\n",
        "%s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;"
            .formatted(alter, constraint, key.quoted()),
        "%s VALIDATE CONSTRAINT %s;".formatted(alter, constraint),
        "%s ALTER COLUMN %s SET NOT NULL;".formatted(alter, key.quoted()),
        "%s DROP CONSTRAINT %s;".formatted(alter, constraint));
  }
}
