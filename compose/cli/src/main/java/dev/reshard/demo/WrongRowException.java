package dev.reshard.demo;

/** A client that was about to change a row did not find there what it was told is committed. */
final class WrongRowException extends RuntimeException {
  private final RowKey key;
  private final boolean lost;

  private WrongRowException(RowKey key, boolean lost, String message) {
    super(message);
    this.key = key;
    this.lost = lost;
  }

  static WrongRowException lost(RowKey key) {
    return new WrongRowException(key, true, key + " is gone, though it was committed");
  }

  static WrongRowException differing(RowKey key) {
    return new WrongRowException(key, false, key + " does not say what was committed");
  }

  RowKey key() {
    return key;
  }

  boolean isLost() {
    return lost;
  }
}
