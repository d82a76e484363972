package dev.reshard.copy;

import dev.reshard.keyspace.TableId;
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

  /** How many rows of a table were loaded. */
  long rows(TableId table) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getKey().table().equals(table))
        .mapToLong(entry -> entry.getValue().rows())
        .sum();
  }
}
