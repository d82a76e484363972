package dev.reshard.verify;

/** A comparison that could not be made; nothing is said about the rows. */
public final class ComparisonException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ComparisonException(String message) {
    super(message);
  }

  ComparisonException(String message, Throwable cause) {
    super(message, cause);
  }
}
