package dev.reshard.preflight;

/**
 * What a check found. Immutable.
 *
 * @param what what is so, and where; then what to do
 */
public record Finding(Severity severity, String what) {

  /** Whether a migration may start. */
  public enum Severity {
    /** It may, but somebody should know. */
    NOTE,
    /** It may not. */
    BLOCKER
  }

  public static Finding note(String what) {
    return new Finding(Severity.NOTE, what);
  }

  public static Finding blocker(String what) {
    return new Finding(Severity.BLOCKER, what);
  }
}
