package dev.reshard.sandbox;

/**
 * A server of the sandbox did not start, stop or answer; the message says where and what to try.
 */
public final class SandboxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SandboxException(String message) {
    super(message);
  }

  public SandboxException(String message, Throwable cause) {
    super(message, cause);
  }
}
