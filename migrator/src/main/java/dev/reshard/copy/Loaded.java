package dev.reshard.copy;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.Map;
import java.util.Set;

/**
 * What one destination has of one source, as its ledger says. Immutable.
 *
 * @param missed tables of which it has to get rows by their keys
 */
record Loaded(
    Map<TableId, CopyLedger.Claim> claims,
    Map<CopyLedger.Place, CopyLedger.Entry> entries,
    Set<TableId> missed) {
  Loaded {
    claims = Map.copyOf(claims);
    entries = Map.copyOf(entries);
    missed = Set.copyOf(missed);
  }

  boolean isComplete(TableId table) {
    return claims.containsKey(table) && claims.get(table).complete();
  }

  boolean has(Chunk chunk) {
    return isComplete(chunk.table()) || entries.containsKey(CopyLedger.Place.of(chunk));
  }

  /** Whether a table had rows before this round. */
  boolean isLater(TableId table) {
    return claims.containsKey(table) && claims.get(table).isLater();
  }

  /** Whether chunks of a table had strays at another anchor: they may have been corrected since. */
  boolean hadStrays(TableId table, Lsn anchor) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getKey().table().equals(table))
        .map(Map.Entry::getValue)
        .anyMatch(entry -> entry.strays() > 0 && !entry.anchor().equals(anchor));
  }

  /** How many rows of a table were loaded. */
  long rows(TableId table) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getKey().table().equals(table))
        .mapToLong(entry -> entry.getValue().rows())
        .sum();
  }
}
