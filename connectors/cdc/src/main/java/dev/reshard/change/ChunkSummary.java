package dev.reshard.change;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a record of a change topic says, for people: never a value of a row, nor the migration's
 * secret. Immutable.
 *
 * @param incarnation which start of capture sent it; only the newest counts
 * @param commit start of the commit record: to which transaction it belongs
 * @param index 0, 1, .. within the transaction
 * @param committed by the source's clock; in the first chunk only
 * @param end in the last chunk only
 * @param tokens of fences, without the secret that they begin with
 */
public record ChunkSummary(
    long incarnation,
    Lsn commit,
    int index,
    Optional<Instant> committed,
    Optional<End> end,
    List<String> tokens,
    List<Changes> tables) {

  /**
   * The end of a transaction.
   *
   * @param end of its commit record: the transaction's place in the order
   * @param previous the end of the transaction before it in this incarnation
   * @param rows in all of its chunks
   */
  public record End(Lsn end, Lsn previous, int chunks, long rows) {}

  /** How many rows of one table changed, by kind; and its columns' names. */
  public record Changes(
      TableId table, List<String> columns, List<String> key, Map<RowChange.Kind, Long> rows) {}

  /**
   * Reads a record.
   *
   * @throws ChangeException if it is none of this version
   */
  public static ChunkSummary of(byte[] record) {
    Chunk chunk = Chunk.parse(record);
    List<String> tokens = new ArrayList<>();
    List<RowChange> rows = new ArrayList<>();
    new ChunkBody().read(chunk, tokens, rows);
    Map<ChangedTable, Map<RowChange.Kind, Long>> counts = new LinkedHashMap<>();
    for (RowChange row : rows) {
      counts
          .computeIfAbsent(row.table(), table -> new EnumMap<>(RowChange.Kind.class))
          .merge(row.kind(), 1L, Long::sum);
    }
    List<Changes> tables = new ArrayList<>();
    counts.forEach(
        (table, byKind) ->
            tables.add(
                new Changes(
                    table.id(),
                    table.columns(),
                    table.key().stream().map(table.columns()::get).toList(),
                    Map.copyOf(byKind))));
    return new ChunkSummary(
        chunk.incarnation(),
        chunk.commit(),
        chunk.index(),
        Optional.ofNullable(chunk.begin()).map(Chunk.Begin::committed),
        Optional.ofNullable(chunk.end())
            .map(end -> new End(end.end(), end.previous(), end.chunks(), end.rows())),
        tokens.stream().map(ChunkSummary::withoutSecret).toList(),
        List.copyOf(tables));
  }

  /** A token is the secret, a blank, and the name of the attempt. */
  private static String withoutSecret(String token) {
    return token.substring(token.indexOf(' ') + 1);
  }
}
