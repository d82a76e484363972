package dev.reshard.control;

/** Something the state, a gate, a claim or a lease does not allow; nothing was changed. */
public final class RefusedException extends RuntimeException {
  public RefusedException(String message) {
    super(message);
  }
}
