package dev.reshard.migration;

/** Something that was made could not be removed yet: it is named, and tried again. */
public final class UndoneException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public UndoneException(String message) {
    super(message);
  }
}
