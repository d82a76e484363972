package dev.reshard.topics;

/**
 * One row that differs, confirmed. JSON with the fields' names in snake_case. Immutable.
 *
 * @param version of these fields; 1
 * @param outcome mismatch, missing (at the destination) or extra (only at the destination)
 * @param key the row key: {@code id=17, tenant_id=4}
 * @param seen when it was read, ISO 8601, UTC
 */
public record Mismatch(
    int version,
    String outcome,
    String table,
    String source,
    String destination,
    String key,
    String seen) {

  /** The version that this program writes. */
  public static final int VERSION = 1;

  public byte[] toJson() {
    return Json.write(this);
  }
}
