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
   * @param remedy what to do while it is closed, for people; may be empty
   */
  record Verdict(String name, boolean open, String value, String limit, String remedy) {
    /** One whose value and limit say all that there is to say. */
    public Verdict(String name, boolean open, String value, String limit) {
      this(name, open, value, limit, "");
    }

    @Override
    public String toString() {
      String seen = "%s: %s (%s %s)".formatted(name, value, open ? "within" : "must be", limit);
      return open || remedy.isEmpty() ? seen : seen + "; " + remedy;
    }
  }
}
