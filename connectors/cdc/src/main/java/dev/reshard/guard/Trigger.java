package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A trigger of a guard: what fires it, on which rows, and which function it calls. Immutable.
 *
 * <p>Rows of other buckets, and our own sessions, are sorted out by a native WHEN. The row triggers
 * fire AFTER, as only then the row is final (HAZARDS F12); a partition gets its own of them from
 * the server, also a later one, but not that of TRUNCATE (F13).
 */
record Trigger(
    String name, boolean ofRows, String event, String when, String function, String bucketSql) {

  /**
   * Those that guard a table.
   *
   * @param prefix of their names
   * @param key the shard key's column
   */
  static List<Trigger> guarding(
      String prefix,
      String function,
      Partitioning partitioning,
      String key,
      BucketSet buckets,
      Marker marker,
      boolean alsoTruncate) {
    String column = TableId.quote(key);
    String oldIn = partitioning.sqlIn("OLD." + column, buckets);
    String newIn = partitioning.sqlIn("NEW." + column, buckets);
    String notOurs = " AND NOT " + marker.sqlIsOurs();
    String bucketSql = partitioning.sql("($1)." + column);
    List<Trigger> triggers = new ArrayList<>();
    triggers.add(
        new Trigger(
            prefix + "_insert", true, "AFTER INSERT", newIn + notOurs, function, bucketSql));
    triggers.add(
        new Trigger(
            prefix + "_update",
            true,
            "AFTER UPDATE",
            "(%s OR %s)%s".formatted(newIn, oldIn, notOurs),
            function,
            bucketSql));
    triggers.add(
        new Trigger(
            prefix + "_delete", true, "AFTER DELETE", oldIn + notOurs, function, bucketSql));
    if (alsoTruncate) {
      triggers.add(
          new Trigger(
              prefix + "_truncate",
              false,
              "BEFORE TRUNCATE",
              "NOT " + marker.sqlIsOurs(),
              function,
              ""));
    }
    return triggers;
  }

  /** The one that emits a whole row which enters {@code buckets} from another (HAZARDS F9). */
  static Trigger emitting(
      String prefix,
      String function,
      Partitioning partitioning,
      String key,
      BucketSet buckets,
      Marker marker) {
    String column = TableId.quote(key);
    return new Trigger(
        prefix + "_row",
        true,
        "AFTER UPDATE",
        "%s AND %s IS DISTINCT FROM %s AND NOT %s"
            .formatted(
                partitioning.sqlIn("NEW." + column, buckets),
                partitioning.sql("NEW." + column),
                partitioning.sql("OLD." + column),
                marker.sqlIsOurs()),
        function,
        "");
  }

  /** Whether a table's UPDATE may leave out a value that another shard needs (HAZARDS F9). */
  static boolean needsRowMessages(Table table) {
    return table.identity().isUsable()
        && !table.identity().full()
        && !RowMessage.values(table).isEmpty();
  }

  /** What tells whether a trigger in the catalog is this one: its last argument. */
  String signature() {
    return UUID.nameUUIDFromBytes(
            (event + when + function + bucketSql).getBytes(StandardCharsets.UTF_8))
        .toString();
  }

  /** The relations of a table's tree that must have it. */
  List<String> expectedOn(Tree tree) {
    return ofRows ? tree.relations() : tree.rootAndLeaves();
  }

  /** Statements that make it, or replace another of its name, and let it fire in every role. */
  List<String> create(Tree tree) {
    List<String> statements = new ArrayList<>();
    for (String relation : ofRows ? tree.relations().subList(0, 1) : tree.rootAndLeaves()) {
      statements.add(
          "CREATE OR REPLACE TRIGGER %s %s ON %s FOR EACH %s WHEN (%s) EXECUTE FUNCTION reshard.%s(%s, '%s')"
              .formatted(
                  name,
                  event,
                  relation,
                  ofRows ? "ROW" : "STATEMENT",
                  when,
                  function,
                  "'" + bucketSql.replace("'", "''") + "'",
                  signature()));
    }
    for (String relation : expectedOn(tree)) {
      statements.add("ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %s".formatted(relation, name));
    }
    return statements;
  }
}
