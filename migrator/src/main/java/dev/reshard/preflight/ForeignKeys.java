package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Foreign keys over which moving a row would break another, or over which a write would spread into
 * rows that have moved (HAZARDS F30). Immutable.
 */
final class ForeignKeys implements Check {
  /** Of each child. */
  private static final int ROWS = 2_000;

  private static final Duration MOST = Duration.ofSeconds(1);

  /** For all foreign keys of a shard. */
  private static final Duration ALL = Duration.ofSeconds(3);

  /** A key of a partition counts as its root's. */
  private static final String KEYS =
      """
      SELECT k.conname, cn.nspname, c.relname, pn.nspname, p.relname,
             k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'),
             ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
                     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
                    ORDER BY u.place),
             ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
                     JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num
                    ORDER BY u.place)
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid)
        JOIN pg_namespace cn ON cn.oid = c.relnamespace
        JOIN pg_class p ON p.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)
        JOIN pg_namespace pn ON pn.oid = p.relnamespace
       WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relnamespace IS DISTINCT FROM
             to_regnamespace('reshard')
       ORDER BY 2, 3, 1""";

  private final Subject subject;
  private final Map<TableId, ShardedTable> sharded;

  ForeignKeys(Subject subject) {
    this.subject = subject;
    this.sharded =
        subject.keyspace().sharded().stream().collect(Collectors.toMap(ShardedTable::id, t -> t));
  }

  /** From the columns of a child to those of its parent, pair by pair. */
  private record Key(
      String name,
      TableId child,
      TableId parent,
      boolean spreads,
      List<String> columns,
      List<String> parentColumns) {
    static Key read(ResultSet row) throws SQLException {
      return new Key(
          row.getString(1),
          new TableId(row.getString(2), row.getString(3)),
          new TableId(row.getString(4), row.getString(5)),
          row.getBoolean(6),
          List.of((String[]) row.getArray(7).getArray()),
          List.of((String[]) row.getArray(8).getArray()));
    }

    boolean has(String column, String parentColumn) {
      return IntStream.range(0, columns.size())
          .anyMatch(
              i -> columns.get(i).equals(column) && parentColumns.get(i).equals(parentColumn));
    }
  }

  @Override
  public String name() {
    return "foreign keys";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject.sessions().look(subject.shards(), this::on);
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    TimeBox box = new TimeBox(session, MOST, ALL);
    List<Finding> findings = new ArrayList<>();
    for (Key key : session.query(KEYS, Key::read)) {
      judge(box, key)
          .ifPresent(
              found ->
                  findings.add(
                      found
                          .at(session.shard())
                          .on(key.child)
                          .detail((key.name + " " + found.detail()).strip())));
    }
    return findings;
  }

  private Optional<Finding> judge(TimeBox box, Key key) throws SQLException {
    boolean childMoves = sharded.containsKey(key.child);
    boolean parentMoves = sharded.containsKey(key.parent);
    boolean childIsReference = subject.keyspace().reference().contains(key.child);
    boolean parentIsReference = subject.keyspace().reference().contains(key.parent);
    if (childMoves && parentMoves) {
      return betweenSharded(box, key);
    }
    if (childMoves && parentIsReference && key.spreads) {
      return Optional.of(
          Finding.note(
                  "ON DELETE or ON UPDATE of a reference table's row changes sharded rows with it; where such a row is fenced or has moved, the write to the reference table is refused (RS001)")
              .todo(
                  "do not delete such rows, or change their keys, until the migration is complete"));
    }
    if ((childMoves || childIsReference) && !parentMoves && !parentIsReference) {
      return Optional.of(
          Finding.blocker(
                  "it refers to %s, which neither moves nor is copied: its rows would be missing at destinations"
                      .formatted(key.parent))
              .todo("list that table as reference or sharded, or drop the foreign key"));
    }
    if (childIsReference && parentMoves) {
      return Optional.of(
          Finding.blocker(
                  "a reference table refers to %s, of which each shard has other rows"
                      .formatted(key.parent))
              .todo("list it as sharded or ignored, or drop the foreign key"));
    }
    if (!childMoves && !childIsReference && parentMoves) {
      return Optional.of(
          Finding.blocker(
                  "an ignored table refers to rows of %s that move away; purging them would leave its rows without a parent"
                      .formatted(key.parent))
              .todo("list it as sharded, or drop the foreign key"));
    }
    return Optional.empty();
  }

  /** Without the shard key in it, a child may have a parent in another bucket. */
  private Optional<Finding> betweenSharded(TimeBox box, Key key) throws SQLException {
    String childKey = sharded.get(key.child).key();
    String parentKey = sharded.get(key.parent).key();
    Optional<Column> child = column(box.shard(), key.child, childKey);
    Optional<Column> parent = column(box.shard(), key.parent, parentKey);
    if (key.has(childKey, parentKey) || child.isEmpty() || parent.isEmpty()) {
      return Optional.empty();
    }
    String on =
        IntStream.range(0, key.columns.size())
            .mapToObj(
                i ->
                    "c.%s = p.%s"
                        .formatted(
                            TableId.quote(key.columns.get(i)),
                            TableId.quote(key.parentColumns.get(i))))
            .collect(Collectors.joining(" AND "));
    TableSize.Sample sample = subject.size(box.shard(), key.child).sample(ROWS);
    Optional<List<String>> apart =
        box.query(
            "SELECT c.%s::text FROM (SELECT * FROM %s%s WHERE %s LIMIT %d) c JOIN %s p ON %s WHERE c.%s::text <> p.%s::text"
                .formatted(
                    child.get().quoted(),
                    key.child.quoted(),
                    sample.clause(),
                    sample.condition(),
                    sample.limit(),
                    key.parent.quoted(),
                    on,
                    child.get().quoted(),
                    parent.get().quoted()),
            row -> row.getString(1));
    if (apart.isEmpty()) {
      return Optional.of(
          Finding.note(
                  "the foreign key lacks the shard key, and whether a child's parent is always of the same bucket could not be found out: no right, or no time")
              .todo("make the shard key a part of it, or make sure of it yourself"));
    }
    return apart.get().isEmpty()
        ? Optional.empty()
        : Optional.of(
            Finding.blocker(
                    "the foreign key lacks the shard key, and rows have a parent with another shard key: one would move without the other")
                .detail("e.g. of %s %s".formatted(childKey, apart.get().get(0)))
                .todo("make their shard keys the same, or drop the foreign key"));
  }

  private Optional<Column> column(ShardId shard, TableId id, String name) {
    Optional<Table> table = subject.table(shard, id);
    return table.filter(t -> t.hasColumn(name)).map(t -> t.column(name));
  }
}
