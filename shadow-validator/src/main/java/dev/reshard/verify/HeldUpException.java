package dev.reshard.verify;

/**
 * A comparison that ended before it was done, because it was to, or was held back for too long;
 * nothing is said about the rows.
 */
final class HeldUpException extends RuntimeException {
  private static final long serialVersionUID = 1;

  HeldUpException(String message) {
    super(message);
  }
}
