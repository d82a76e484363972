package dev.reshard.postgres;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * How a migration's own transactions are told from an application's: by a random secret that they
 * carry. Immutable.
 *
 * <p>Random because any role may call {@code pg_logical_emit_message}: a forged marker would make
 * capture drop a user's transaction (HAZARDS F15).
 */
public record Marker(String secret) {
  /** Prefix of the message that says "lag is measured from here"; sent every second. */
  public static final String HEARTBEAT = "reshard.heartbeat";

  /**
   * Prefix of the message that follows the last write before a fence; content: {@link #token}. Any
   * role may send such a message, so the token carries the secret.
   */
  public static final String FENCE = "reshard.fence";

  /** Prefix of the message with a whole row whose shard key changed (HAZARDS F9). */
  public static final String ROW = "reshard.row";

  public static Marker random() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return new Marker(HexFormat.of().formatHex(bytes));
  }

  public Marker {
    if (!secret.matches("[0-9a-f]{32}")) {
      throw new IllegalArgumentException("a marker's secret is 32 hex digits");
    }
  }

  /** Prefix of the message that begins each of our own transactions. */
  public String prefix() {
    return "reshard.own." + secret;
  }

  /**
   * The token of one attempt.
   *
   * @param attempt what no other attempt of this migration is called
   */
  public String token(String attempt) {
    return secret + " " + attempt;
  }

  /** Whether a message with prefix {@link #FENCE} is this migration's. */
  public boolean isOwnToken(String token) {
    return token.startsWith(secret + " ");
  }

  /** A boolean SQL expression: whether the session is one of ours, inside such a transaction. */
  public String sqlIsOurs() {
    return "(pg_catalog.current_setting('reshard.bypass', true) IS NOT DISTINCT FROM '%s')"
        .formatted(secret);
  }

  @Override
  public String toString() {
    return "Marker[..]";
  }
}
