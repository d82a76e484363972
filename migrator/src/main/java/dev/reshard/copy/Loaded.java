package dev.reshard.copy;

import dev.reshard.keyspace.TableId;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What one destination has of one source, as its ledger says. Immutable. */
record Loaded(
    Map<TableId, CopyLedger.Claim> claims, Map<CopyLedger.Place, CopyLedger.Entry> entries) {
  Loaded {
    claims = Map.copyOf(claims);
    entries = Map.copyOf(entries);
  }

  boolean isComplete(TableId table) {
    return claims.containsKey(table) && claims.get(table).complete();
  }

  boolean has(Chunk chunk) {
    return isComplete(chunk.table()) || entries.containsKey(CopyLedger.Place.of(chunk));
  }

  /** Tables that had rows before this round. */
  Set<TableId> later() {
    return claims.entrySet().stream()
        .filter(claim -> claim.getValue().isLater())
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** How many rows of a table were loaded. */
  long rows(TableId table) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getKey().table().equals(table))
        .mapToLong(entry -> entry.getValue().rows())
        .sum();
  }
}
