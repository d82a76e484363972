package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;

/**
 * A live column of a table. Immutable.
 *
 * @param type as a cast needs it, with its schema and modifier: {@code numeric(12,2)}
 * @param generated computed by the server; never written by us
 * @param identityAlways GENERATED ALWAYS AS IDENTITY: written only by INSERT with OVERRIDING SYSTEM
 *     VALUE
 * @param toastable a value may be stored out of line, and then an UPDATE of another column does not
 *     send it
 */
public record Column(
    String name,
    String type,
    boolean notNull,
    boolean generated,
    boolean identityAlways,
    boolean toastable) {

  public String quoted() {
    return TableId.quote(name);
  }
}
