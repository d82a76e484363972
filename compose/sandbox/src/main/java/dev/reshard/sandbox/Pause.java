package dev.reshard.sandbox;

/** Sleeping between two looks at something that sends no signal. Thread-safe. */
final class Pause {
  private Pause() {}

  /**
   * Sleeps.
   *
   * @throws SandboxException if interrupted; the thread's flag is set again
   */
  static void milliseconds(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException("interrupted while waiting for a server", e);
    }
  }
}
