package dev.reshard.guard;

import java.time.Instant;
import java.util.Optional;

/**
 * A transaction that keeps a lock. Immutable.
 *
 * @param pid its server process; 0 for a prepared transaction, which has none
 * @param gid the name of a prepared transaction
 * @param since when the transaction began, or was prepared; empty where the server hides it
 */
public record Writer(
    int pid, Optional<String> gid, String role, String application, Optional<Instant> since) {

  /** For people: {@code pid 4711 (app, "billing", since 2026-01-01T00:00:00Z)}. */
  @Override
  public String toString() {
    return "%s (%s%s%s)"
        .formatted(
            gid.map(name -> "prepared transaction '" + name + "'").orElse("pid " + pid),
            role,
            application.isEmpty() ? "" : ", \"" + application + "\"",
            since.map(moment -> ", since " + moment).orElse(""));
  }
}
