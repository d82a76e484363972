package dev.reshard.copy;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.CopyFormat;
import dev.reshard.postgres.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One table of a source and where its rows go. Immutable.
 *
 * @param table as the source's catalog had it before the anchor was taken
 * @param format how its rows travel
 * @param key the shard key's column; empty for a reference table, whose rows all go to every target
 * @param partitioning how the key finds its bucket
 * @param passed buckets whose rows are not even read: they stay, or come from elsewhere. A row in
 *     none of these and of no target is a stray
 * @param targets never empty
 */
public record TableCopy(
    Table table,
    CopyFormat format,
    Optional<String> key,
    Partitioning partitioning,
    BucketSet passed,
    List<Target> targets) {

  /** The one bucket in which all rows of a reference table are said to lie. */
  private static final int REFERENCE = 0;

  public TableCopy {
    targets = List.copyOf(targets);
    key.ifPresent(table::column);
  }

  /** A reference table that some shards lack. */
  public static TableCopy reference(
      Table table, CopyFormat format, Partitioning partitioning, List<ShardId> destinations) {
    return new TableCopy(
        table,
        format,
        Optional.empty(),
        partitioning,
        BucketSet.empty(),
        destinations.stream().map(d -> new Target(d, BucketSet.of(REFERENCE))).toList());
  }

  /** How long the table was when it was measured, in pages of 8 KiB. */
  long blocks() {
    return table.leaves().stream().mapToLong(Table.Leaf::blocks).sum();
  }

  /** The target on that shard. */
  public Target target(ShardId destination) {
    return targets.stream()
        .filter(target -> target.destination().equals(destination))
        .findFirst()
        .orElseThrow();
  }

  /** Chunk's rows that do not stay: their bucket, then the columns that we copy. */
  String select(Chunk chunk) {
    return "SELECT %s, %s FROM ONLY %s WHERE %s"
        .formatted(bucket(), columns(), chunk.leaf().id().quoted(), where(chunk));
  }

  /** Rows of a target's buckets, in the form of {@link #select(Chunk)}. */
  String select(String from, Target target) {
    return "SELECT %s, %s FROM %s WHERE %s"
        .formatted(bucket(), columns(), from, whereMoving(target));
  }

  private String columns() {
    return table.stored().stream().map(Column::quoted).collect(Collectors.joining(", "));
  }

  /** The keys of some of the chunk's strays, as text. */
  String selectStrays(Chunk chunk, int limit) {
    return "SELECT %s FROM ONLY %s WHERE %s LIMIT %d"
        .formatted(keyText(), chunk.leaf().id().quoted(), where(chunk) + andIsStray(), limit);
  }

  /** How many strays the whole table has, and the keys of some of them, as text. */
  String countStrays(int limit) {
    return "SELECT count(*), (array_agg(%s))[:%d] FROM %s WHERE %s"
        .formatted(keyText(), limit, table.id().quoted(), "true" + andLeaves() + andIsStray());
  }

  private String keyText() {
    return rowKey().stream()
        .map(
            name ->
                "'%s=' || coalesce(%s::text, 'NULL')"
                    .formatted(name.replace("'", "''"), quote(name)))
        .collect(Collectors.joining(" || ' ' || "));
  }

  private String andIsStray() {
    BucketSet moving =
        targets.stream().map(Target::buckets).reduce(BucketSet.empty(), BucketSet::plus);
    return " AND %s IS NOT TRUE".formatted(in(moving));
  }

  /** A condition on rows of the table, on either side: whether they are of the target's buckets. */
  public String whereMoving(Target target) {
    return key.isPresent() ? in(target.buckets()) : "true";
  }

  /** The row key's columns as SQL, for messages. */
  String rowKeyText() {
    return rowKey().stream().map(TableCopy::quote).collect(Collectors.joining(", "));
  }

  private List<String> rowKey() {
    List<String> names = new ArrayList<>(key.stream().toList());
    table.primaryKey().stream().filter(name -> !names.contains(name)).forEach(names::add);
    return names;
  }

  private String where(Chunk chunk) {
    return chunk.where() + andLeaves();
  }

  /** Rows that stay are not even read. */
  private String andLeaves() {
    StringBuilder where = new StringBuilder();
    if (!passed.isEmpty()) {
      where.append(" AND ").append(in(passed)).append(" IS NOT TRUE");
    }
    if (key.isPresent() && partitioning.isPartial()) {
      where.append(" AND ").append(bucket()).append(" IS NOT NULL"); // those stay
    }
    return where.toString();
  }

  /** A row's bucket, as an expression of type {@code int4}. */
  public String bucket() {
    return key.map(name -> partitioning.sql(quote(name))).orElse(REFERENCE + "::int4");
  }

  private String in(BucketSet buckets) {
    return partitioning.sqlIn(key.map(TableCopy::quote).orElseThrow(), buckets);
  }

  private static String quote(String name) {
    return TableId.quote(name);
  }
}
