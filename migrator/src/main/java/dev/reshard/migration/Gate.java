package dev.reshard.migration;

/** A criterion that must hold before a cutover. */
public interface Gate {
  /** Looks once. */
  Verdict look() throws Exception;

  /**
   * What a gate saw.
   *
   * @param open whether a cutover may pass
   * @param value what was measured, for people
   * @param limit what it must be, for people
   */
  record Verdict(String name, boolean open, String value, String limit) {
    @Override
    public String toString() {
      return "%s: %s (%s %s)".formatted(name, value, open ? "within" : "must be", limit);
    }
  }
}
