package dev.reshard.cli;

/** What the program answers a shell. */
public enum ExitCode {
  /** Done, or already so. */
  DONE(0),
  /** A bug, or something nobody foresaw; the log has the trace. */
  UNEXPECTED(1),
  /** The words or the file are wrong; nothing was changed. */
  USAGE(2),
  /** {@code check} found a blocker. */
  BLOCKED(3),
  /** A gate or the state does not allow it; nothing was changed. */
  REFUSED(4),
  /** Not done within the budget or the timeout; nothing has moved. */
  GAVE_UP(5),
  /** Decided, but not finished: run the same command again. */
  UNFINISHED(6),
  /** Rows differ, or an acknowledged write is lost. */
  DIFFERENCE(7),
  /** Nobody works on this migration: start {@code reshard run}. */
  NO_WORKER(8);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }
}
