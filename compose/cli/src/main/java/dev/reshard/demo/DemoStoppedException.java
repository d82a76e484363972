package dev.reshard.demo;

/** The demo cannot go on; the message says why. */
final class DemoStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DemoStoppedException(String message) {
    super(message);
  }
}
