package dev.reshard.apply;

/** Changes cannot be read now, for a reason that may pass: nothing is known to be missing. */
final class SourceAwayException extends Exception {
  private static final long serialVersionUID = 1;

  SourceAwayException(RuntimeException cause) {
    super("the changes cannot be read: " + cause.getMessage(), cause);
  }
}
