package dev.reshard.copy;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.CopyFormat;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** All that one source copies, and where to. Immutable. */
public record CopyPlan(ShardId source, List<TableCopy> tables) {
  public CopyPlan {
    tables = List.copyOf(tables);
  }

  /**
   * Reads the tables from the source's catalog. To be called before the anchor is taken: what they
   * are compared with while they are copied must not be younger than the snapshot (HAZARDS F5).
   *
   * @param map which shard owns what now; other rows of the source are strays
   * @param references reference tables whose home the source is, and the shards that lack them
   * @throws SQLException also if a table is not there
   */
  public static CopyPlan read(
      Connection connection,
      ShardId source,
      Keyspace keyspace,
      ShardMap map,
      Moves moves,
      Map<TableId, Set<ShardId>> references)
      throws SQLException {
    List<Target> targets =
        moves.from(source).stream()
            .map(move -> new Target(move.destination(), move.buckets()))
            .toList();
    BucketSet leaving = union(moves.from(source));
    BucketSet arriving = union(moves.to(source));
    BucketSet passed = map.bucketsOf(source).minus(leaving).plus(arriving);
    List<TableCopy> tables = new ArrayList<>();
    if (!targets.isEmpty()) {
      for (Keyspace.ShardedTable sharded : keyspace.sharded()) {
        Table table = Catalog.read(connection, sharded.id());
        tables.add(
            new TableCopy(
                table,
                CopyFormat.of(connection, table),
                Optional.of(sharded.key()),
                keyspace.partitioning(),
                passed,
                targets));
      }
    }
    for (Map.Entry<TableId, Set<ShardId>> reference : references.entrySet()) {
      Table table = Catalog.read(connection, reference.getKey());
      if (!reference.getValue().isEmpty()) {
        tables.add(
            TableCopy.reference(
                table,
                CopyFormat.of(connection, table),
                keyspace.partitioning(),
                List.copyOf(reference.getValue())));
      }
    }
    return new CopyPlan(source, tables);
  }

  /** Every shard that some row may go to. */
  public Set<ShardId> destinations() {
    Set<ShardId> shards = new TreeSet<>();
    tables.forEach(table -> table.targets().forEach(target -> shards.add(target.destination())));
    return shards;
  }

  /** The tables that {@code destination} gets rows of. */
  public List<TableCopy> tablesTo(ShardId destination) {
    return tables.stream()
        .filter(t -> t.targets().stream().anyMatch(x -> x.destination().equals(destination)))
        .toList();
  }

  private static BucketSet union(List<Move> moves) {
    return moves.stream().map(Move::buckets).reduce(BucketSet.empty(), BucketSet::plus);
  }
}
